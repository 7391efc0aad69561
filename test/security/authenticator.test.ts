import { describe, expect, test } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { CrossCommModule } from '../../src/cross-comm.module.js';
import { CrossCommGateway } from '../../src/gateway/index.js';
import { Authenticator, type AuthDecision, type AuthRequest, type AuthenticateFunction } from '../../src/security/index.js';
import { onCleanUp } from '../support/clean-up.js';
import { openHub, pause, temporaryDirectory, until, untilConnections } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { announcing } from '../support/wire.js';

/** A function that decides when it is told to. */
function onDemand(): { authenticator: AuthenticateFunction; requests: AuthRequest[]; decide: ((decision: AuthDecision) => void)[] } {
  const requests: AuthRequest[] = [];
  const decide: ((decision: AuthDecision) => void)[] = [];
  const authenticator = (request: AuthRequest): Promise<AuthDecision> =>
    new Promise((resolve) => {
      requests.push(request);
      decide.push(resolve);
    });
  return { authenticator, requests, decide };
}

const YES: AuthDecision = { allowed: true };

function loginOnly(client: RawClient, id: string, content: unknown = {}): void {
  client.id = id;
  client.send({ msg_type: 'login', content });
}

describe('A function', () => {
  test('is told everything that is known, and its reason reaches an announced client', async () => {
    const seen: AuthRequest[] = [];
    const hub = await openHub({
      auth: {
        authenticator: (request) => {
          seen.push(request);
          return { allowed: false, reason: 'Not on Sundays.' };
        },
      },
    });
    const client = await RawClient.connect(hub.url.replace('ws://', 'ws://al%20ice:se%3Acret@'), { headers: { 'x-tenant': '7' } });
    const { content } = await client.login('al ice', { cross_comm: { protocol: 2, token: 'tok' } });
    expect(content).toMatchObject({ status: 'error', code: 'CC_AUTH_FAILED', message: expect.stringContaining('Not on Sundays.') });
    expect(seen).toEqual([
      {
        clientId: 'al ice',
        token: 'tok',
        basic: { user: 'al ice', password: 'se:cret' },
        remoteAddress: '127.0.0.1',
        headers: expect.objectContaining({ 'x-tenant': '7' }),
        tlsPeer: undefined,
      },
    ]);
  });

  test('that throws, rejects or returns no decision lets nobody in, and its client may try again', async () => {
    const faults: AuthenticateFunction[] = [
      () => {
        throw new Error('the database of tok is down');
      },
      () => Promise.reject(new Error('down')),
      () => ({}) as AuthDecision,
      () => Promise.resolve({ allowed: 'yes' } as unknown as AuthDecision),
      () => undefined as unknown as AuthDecision,
    ];
    for (const authenticator of faults) {
      const hub = await openHub({ auth: { authenticator } });
      const client = await RawClient.connect(hub.url);
      const { content } = await client.login('alice', { cross_comm: { protocol: 2, token: 'tok' } });
      expect(content).toMatchObject({ status: 'error', code: 'CC_INTERNAL', message: expect.not.stringContaining('tok') });
      expect((await client.closed()).code).toBe(4003);
      expect(hub.registry.onlineCount).toBe(0);
    }
  });
});

describe('A decision that takes its time', () => {
  test('frames behind the login wait in order, also long ones and a second login', async () => {
    const { authenticator, decide, requests } = onDemand();
    const hub = await openHub({ auth: { authenticator } });
    const client = await RawClient.connect(hub.url);
    loginOnly(client, 'alice', announcing());
    for (let n = 0; n < 10; n++) client.send({ to_client_id: 'alice', content: `${n} ${'x'.repeat(20_000)}` });
    loginOnly(client, 'bob', announcing());
    client.send({ to_client_id: 'bob', content: 'as bob' });
    await until(() => requests.length === 1, 'the question');
    await pause(20);
    expect(client.unread).toEqual([]);
    decide[0]?.(YES);
    expect((await client.next()).msg_type).toBe('login_response');
    for (let n = 0; n < 10; n++) expect(((await client.next()).content as string).split(' ')[0]).toBe(String(n));
    await until(() => requests.length === 2, 'the second question');
    expect(requests[1]?.clientId).toBe('bob');
    decide[1]?.(YES);
    expect((await client.next()).to_client_id).toBe('bob');
    expect((await client.next()).content).toBe('as bob');
    expect(hub.service.getOnlineClients()).toEqual(['bob']);
  });

  test('frames behind a refused login are not handled', async () => {
    const { authenticator, decide } = onDemand();
    const hub = await openHub({ auth: { authenticator } });
    const client = await RawClient.connect(hub.url);
    loginOnly(client, 'alice', announcing());
    client.send({ msg_type: 'list_clients', content: '{}' });
    await until(() => decide.length === 1, 'the question');
    decide[0]?.({ allowed: false });
    expect((await client.next()).content).toMatchObject({ code: 'CC_AUTH_FAILED' });
    expect((await client.closed()).code).toBe(4401);
    expect(client.unread).toEqual([]);
  });

  test('a peer that left meanwhile does not come online for good', async () => {
    const { authenticator, decide } = onDemand();
    const hub = await openHub({ auth: { authenticator } });
    const client = await RawClient.connect(hub.url);
    loginOnly(client, 'alice');
    await until(() => decide.length === 1, 'the question');
    client.socket.terminate();
    await pause(20);
    decide[0]?.(YES);
    await untilConnections(hub, 0);
    expect(hub.registry.onlineCount).toBe(0);
  });

  test('one that comes never ends with the login time-out', async () => {
    const { authenticator, decide } = onDemand();
    const hub = await openHub({ auth: { authenticator }, loginTimeoutMs: 100 });
    const client = await RawClient.connect(hub.url);
    loginOnly(client, 'alice');
    expect((await client.closed()).code).toBe(4001);
    decide[0]?.(YES);
    await untilConnections(hub, 0);
    expect(hub.registry.onlineCount).toBe(0);
  });

  test('of two logins with one id the newer wins, also when it is decided first', async () => {
    const { authenticator, decide } = onDemand();
    const hub = await openHub({ auth: { authenticator } });
    const [older, newer] = [await RawClient.connect(hub.url), await RawClient.connect(hub.url)];
    loginOnly(older, 'alice');
    await until(() => decide.length === 1, 'the first question');
    loginOnly(newer, 'alice');
    await until(() => decide.length === 2, 'the second question');
    decide[1]?.(YES);
    expect((await newer.next()).content).toEqual({ status: 'success' });
    decide[0]?.(YES);
    expect((await older.closed()).code).toBe(4009);
    await newer.expectNothingElse();
    expect(hub.service.getOnlineClients()).toEqual(['alice']);
  });

  test('a hub shuts down although one is awaited', async () => {
    const { authenticator, decide } = onDemand();
    const hub = await openHub({ auth: { authenticator } });
    const client = await RawClient.connect(hub.url);
    loginOnly(client, 'alice');
    await until(() => decide.length === 1, 'the question');
    await hub.close();
    expect((await client.closed()).code).toBe(1012);
    decide[0]?.(YES);
  });
});

describe('A login with an end', () => {
  test('is closed with 4001 then, and offline at once', async () => {
    const hub = await openHub({ auth: { authenticator: () => ({ allowed: true, expiresAt: Date.now() / 1000 + 0.15 }) } });
    const client = await RawClient.old(hub.url, 'alice');
    expect(hub.registry.onlineCount).toBe(1);
    expect(await client.closed()).toEqual({ code: 4001, reason: 'the login has expired; log in again' });
    expect(hub.registry.onlineCount).toBe(0);
  });

  test('that is over already is refused', async () => {
    const hub = await openHub({ auth: { authenticator: () => ({ allowed: true, expiresAt: Date.now() / 1000 - 1 }) } });
    const client = await RawClient.connect(hub.url);
    expect((await client.login('alice', announcing())).content).toMatchObject({ code: 'CC_AUTH_FAILED' });
  });

  test('a newer login on the same connection sets a new end', async () => {
    let ends: number | undefined = Date.now() / 1000 + 1;
    const hub = await openHub({ auth: { authenticator: () => (ends === undefined ? YES : { allowed: true, expiresAt: ends }) } });
    const client = await RawClient.old(hub.url, 'alice');
    ends = undefined;
    await client.login('alice');
    await pause(1_100);
    expect(hub.service.getOnlineClients()).toEqual(['alice']);
  });
});

describe('A class of the application', () => {
  test('is made by Nest and handed over by forRootAsync', async () => {
    @Injectable()
    class OnlyAlice extends Authenticator {
      override authenticate({ clientId }: AuthRequest): AuthDecision {
        return { allowed: clientId === 'alice' };
      }
    }
    @Module({ providers: [OnlyAlice], exports: [OnlyAlice] })
    class AuthModule {}
    const dataDir = await temporaryDirectory();
    const module = CrossCommModule.forRootAsync({
      imports: [AuthModule],
      inject: [OnlyAlice],
      useFactory: (authenticator: OnlyAlice) => ({ port: 0, host: '127.0.0.1', dataDir, storage: { driver: 'none' as const }, auth: { authenticator } }),
    });
    const app = await NestFactory.createApplicationContext(module, { abortOnError: false, logger: false });
    onCleanUp(() => app.close());
    expect(app.get(Authenticator)).toBeInstanceOf(OnlyAlice);
    const url = `ws://127.0.0.1:${app.get(CrossCommGateway).address?.port}`;
    await RawClient.old(url, 'alice');
    const bob = await RawClient.connect(url);
    loginOnly(bob, 'bob');
    expect((await bob.closed()).code).toBe(4401);
  });

  test('takes the place of the provider', async () => {
    class Nobody extends Authenticator {
      override authenticate(): AuthDecision {
        return { allowed: false };
      }
    }
    const hub = CrossCommModule.forRoot({ port: 0, host: '127.0.0.1', dataDir: await temporaryDirectory(), storage: { driver: 'none' } });
    const app = await Test.createTestingModule({ imports: [hub] }).overrideProvider(Authenticator).useClass(Nobody).compile();
    onCleanUp(() => app.close());
    await app.init();
    const alice = await RawClient.connect(`ws://127.0.0.1:${app.get(CrossCommGateway).address?.port}`);
    loginOnly(alice, 'alice');
    expect((await alice.closed()).code).toBe(4401);
  });

  test('that cannot authenticate is refused at start', async () => {
    await expect(openHub({ auth: { authenticator: {} as Authenticator } })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
  });
});
