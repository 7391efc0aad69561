import { describe, expect, test } from '@jest/globals';
import type { TestHub } from '../../src/testing/index.js';
import { SECRET, hs256 } from '../support/jwt.js';
import { newClient, openHub, until } from './support/clients.js';

const open = (): Promise<TestHub> => openHub({ auth: { jwt: { secret: SECRET, clockToleranceSeconds: 0 } } });

const token = (seconds: number): string => hs256({ sub: 'alice', exp: Date.now() / 1000 + seconds });

describe('A token that is a function', () => {
  test.each([
    ['sync', (seconds: number) => token(seconds)],
    ['async', (seconds: number) => Promise.resolve(token(seconds))],
  ])('(%s) is asked before the login ends, and the connection stays', async (_, make) => {
    const hub = await open();
    let asked = 0;
    const alice = newClient({ url: hub.url, clientId: 'alice', token: () => (asked++, make(asked < 3 ? 1 : 60)) });
    await alice.login();
    const { session } = alice;
    await until(() => asked === 3, 'two refreshes');
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect([alice.status.state, alice.session === session, asked]).toEqual(['online', true, 3]);
  });

  test('that fails is asked again while there is time, and told to onError', async () => {
    const hub = await open();
    const problems: string[] = [];
    let asked = 0;
    const alice = newClient({
      url: hub.url,
      clientId: 'alice',
      token: () => {
        asked++;
        if (asked === 2) throw new Error('no token today');
        return token(asked === 1 ? 3 : 60);
      },
    });
    alice.onError(({ message }) => problems.push(message));
    await alice.login();
    const { session } = alice;
    await until(() => asked === 3, 'the second try');
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect([alice.status.state, alice.session === session, problems]).toEqual(['online', true, ['A handler of token failed: no token today']]);
  });

  test('is asked at the next login when the hub took none in time', async () => {
    const hub = await open();
    let asked = 0;
    const alice = newClient({ url: hub.url, clientId: 'alice', token: () => (asked++, asked === 2 ? 'none' : token(asked === 1 ? 1 : 60)) });
    alice.onError(() => undefined);
    await alice.login();
    const { session } = alice;
    await until(() => alice.status.state === 'online' && alice.session !== session, 'the next login');
    expect(asked).toBe(3);
  });

  test('is not asked again where the login has no end', async () => {
    const hub = await openHub();
    let asked = 0;
    const alice = newClient({ url: hub.url, clientId: 'alice', token: () => `${asked++}` });
    await alice.login();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(asked).toBe(1);
  });
});
