import { describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { RecordingLogger } from '../module/recording.logger.js';
import { onCleanUp } from '../support/clean-up.js';
import { openHub, pause, until, untilConnections } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { RawSocket, clientFrame } from '../support/raw-socket.js';
import { announcing, frameTextWithContent, wireFrame } from '../support/wire.js';

describe('Before login', () => {
  test('10,000 tiny frames end with 4029 after sixteen, and none of them is handled', async () => {
    const hub = await openHub();
    const stranger = await RawSocket.upgrade(hub.port);
    stranger.write(Buffer.concat(Array.from({ length: 10_000 }, () => clientFrame(1, Buffer.from('1')))));
    expect(await stranger.closeCode()).toBe(4029);
    await untilConnections(hub, 0);
    expect(hub.service.refusalCounts).toMatchObject({ before_login: 1, bad_frame: 16 });
  });

  test('the sixteenth frame may be the login, the seventeenth is one too many', async () => {
    const hub = await openHub();
    for (const [before, expected] of [[15, 'login_response'], [16, undefined]] as const) {
      const client = await RawClient.connect(hub.url);
      for (let n = 0; n < before; n++) client.send('{}');
      client.id = 'alice';
      client.send({ msg_type: 'login', content: {} });
      if (expected === undefined) expect((await client.closed()).code).toBe(4029);
      else expect((await client.next()).msg_type).toBe(expected);
    }
  });

  test.each([
    ['pings', 9],
    ['pongs', 10],
  ])('%s count as frames, also between the fragments of a message', async (_what, opcode) => {
    const hub = await openHub();
    const stranger = await RawSocket.upgrade(hub.port);
    stranger.write(clientFrame(1, Buffer.from('{'), false));
    stranger.write(Buffer.concat(Array.from({ length: 1_000 }, () => clientFrame(opcode, Buffer.alloc(100)))));
    await stranger.ended(2_000);
    await untilConnections(hub, 0);
    expect(hub.service.refusalCounts.before_login).toBe(1);
  });

  test('a login that drips in byte by byte is cut with 4001 when its time is over', async () => {
    const hub = await openHub({ loginTimeoutMs: 300 });
    const slow = await RawSocket.upgrade(hub.port);
    const bytes = clientFrame(1, Buffer.from(JSON.stringify(wireFrame({ from_client_id: 'slow', msg_type: 'login', content: { pad: 'x'.repeat(2_000) } }))));
    let sent = 0;
    const timer = setInterval(() => slow.write(bytes.subarray(sent, ++sent)), 10);
    onCleanUp(() => clearInterval(timer));
    expect(await slow.closeCode()).toBe(4001);
    await untilConnections(hub, 0);
  });

  test('an HTTP request that drips in, or never begins, is cut', async () => {
    const hub = await openHub({ handshakeTimeoutMs: 300 });
    const drip = connect(hub.port, '127.0.0.1');
    const silent = connect(hub.port, '127.0.0.1');
    for (const socket of [drip, silent]) {
      onCleanUp(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.resume();
    }
    const timer = setInterval(() => drip.write('X'), 20);
    onCleanUp(() => clearInterval(timer));
    drip.write('GET / HTTP/1.1\r\nX-Drip: ');
    await Promise.all([once(drip, 'close'), once(silent, 'close')]);
    await RawClient.old(hub.url, 'alice');
  });

  test('many and huge headers are refused with 431', async () => {
    const hub = await openHub();
    for (const lines of [[`X-Pad: ${'x'.repeat(17_000)}`], Array.from({ length: 1_900 }, (_, n) => `X-${n}: 1234567`)]) {
      const { head } = await RawSocket.request(hub.port, ['GET / HTTP/1.1', 'Host: hub', ...lines]);
      expect(head).toMatch(/^HTTP\/1\.1 431 /);
    }
  });

  test('text that is not UTF-8 ends with 1007', async () => {
    const hub = await openHub();
    const stranger = await RawSocket.upgrade(hub.port);
    stranger.write(clientFrame(1, Buffer.from([0x7b, 0xc3, 0x28, 0x7d])));
    expect(await stranger.closeCode()).toBe(1007);
    expect(hub.service.refusalCounts.bad_frame).toBe(1);
  });

  test('logins that cannot be read use up the rate of logins, and make one line in the log', async () => {
    const logger = RecordingLogger.install();
    onCleanUp(() => logger.restore());
    const hub = await openHub({ log: true, loginsPerSecond: 1, loginBurst: 20 });
    const codes: number[] = [];
    for (let n = 0; n < 30; n++) {
      const client = await RawClient.connect(hub.url);
      await client.login(`flood-${n}`, n % 2 === 0 ? { cross_comm: { protocol: 'x' } } : { cross_comm: { protocol: 2, will: { to_client_id: 'bob', msg_type: 'text', content: 7 } } });
      codes.push((await client.closed()).code);
    }
    expect(codes.filter((code) => code === 4003).length).toBeLessThanOrEqual(20 + 5);
    expect(codes.filter((code) => code === 4029).length).toBe(hub.service.refusalCounts.login_rate);
    expect(hub.service.refusalCounts.login_refused + hub.service.refusalCounts.login_rate).toBe(30);
    expect(logger.warnings.filter((line) => line.includes('Refused a login from')).length).toBe(2);
  });

  test('a flood of logins from one address is held at its rate, another address still logs in', async () => {
    const hub = await openHub({ loginsPerSecond: 1, loginBurst: 20 });
    const codes = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const client = await RawClient.connect(hub.url);
        return (await client.login(`flood-${n}`, announcing())).content as { status: string; code?: string };
      }),
    );
    expect(codes.filter(({ status }) => status === 'success').length).toBeLessThanOrEqual(20 + 5);
    expect(codes.filter(({ code }) => code === 'CC_RATE_LIMITED').length).toBe(hub.service.refusalCounts.login_rate);
    expect(hub.service.refusalCounts.login_rate).toBeGreaterThanOrEqual(35);
    const other = await RawClient.connect(hub.url, { localAddress: '127.0.0.2' });
    expect((await other.login('other')).content).toEqual({ status: 'success' });
  });
});

describe('After login', () => {
  test('no frame gives another identity: neither a forged sender nor a forged hub', async () => {
    const hub = await openHub();
    const [eve, bob] = [await RawClient.announced(hub.url, 'eve'), await RawClient.old(hub.url, 'bob')];
    for (const from_client_id of ['bob', 'server', 'all', 'Eve', 'eve ', '']) {
      eve.send({ msg_id: 'm', from_client_id, to_client_id: 'bob', content: 'trust me' });
      expect((await eve.next()).content).toMatchObject({ reply_to: 'm', code: 'CC_IDENTITY_MISMATCH' });
    }
    for (const msg_type of ['login_response', 'error', 'list_clients_response', 'ack', 'event']) {
      eve.send({ msg_id: 'm', msg_type, to_client_id: 'bob', content: {} });
      expect((await eve.next()).content).toMatchObject({ code: 'CC_TYPE_NOT_ALLOWED' });
    }
    await bob.expectNothingElse();
    expect(hub.service.refusalCounts.bad_frame).toBe(11);
  });

  test('JSON deeper than the limit is refused with CC_TOO_DEEP, however deep it is', async () => {
    const hub = await openHub();
    const alice = await RawClient.announced(hub.url, 'alice');
    for (const depth of [129, 5_000, 400_000]) {
      alice.send(frameTextWithContent('alice', 'alice', '['.repeat(depth) + ']'.repeat(depth)));
      expect((await alice.next()).content).toMatchObject({ code: 'CC_TOO_DEEP' });
    }
    alice.send(frameTextWithContent('alice', 'alice', '['.repeat(128) + ']'.repeat(128)));
    expect((await alice.next()).from_client_id).toBe('alice');
  });

  test('a message beyond the limit ends with 1009 and is counted', async () => {
    const hub = await openHub({ maxMessageBytes: 10_000 });
    const alice = await RawClient.old(hub.url, 'alice');
    alice.send({ to_client_id: 'alice', content: 'x'.repeat(10_000) });
    expect((await alice.closed()).code).toBe(1009);
    expect(hub.service.refusalCounts.oversize).toBe(1);
  });

  test.each(['ping', 'pong'] as const)('a flood of %ss uses up the rate of messages', async (frame) => {
    const hub = await openHub({ messagesPerSecond: 20 });
    const alice = await RawClient.old(hub.url, 'alice');
    for (let n = 0; n < 60; n++) alice.socket[frame]('x');
    await until(() => hub.service.refusalCounts.message_rate === 1, 'a stop');
  });

  test('who pings without reading the answers is cut off', async () => {
    const hub = await openHub({ messagesPerSecond: 0, bytesPerSecond: 0, maxBufferedBytes: 65_536 });
    const alice = await RawClient.old(hub.url, 'alice');
    alice.socket.pause();
    const timer = setInterval(() => {
      for (let n = 0; n < 2_000 && alice.socket.readyState === WebSocket.OPEN; n++) alice.socket.ping('x'.repeat(120));
    }, 5);
    onCleanUp(() => clearInterval(timer));
    await untilConnections(hub, 0);
    expect(hub.registry.onlineCount).toBe(0);
  });

  test('who goes over his rate without a break is closed with 4029 after abuseSeconds; a burst with breaks is not', async () => {
    const hub = await openHub({ messagesPerSecond: 50, abuseSeconds: 1.5 });
    const [flooder, bursty] = [await RawClient.announced(hub.url, 'flooder'), await RawClient.announced(hub.url, 'bursty')];
    for (let n = 0; n < 110; n++) bursty.send({ to_client_id: 'server', content: 'x' });
    const timer = setInterval(() => {
      for (let n = 0; n < 10 && flooder.socket.readyState === WebSocket.OPEN; n++) flooder.send({ to_client_id: 'server', content: 'x' });
    }, 10);
    onCleanUp(() => clearInterval(timer));
    expect((await flooder.closed(8_000)).code).toBe(4029);
    expect(hub.service.refusalCounts.abuse).toBe(1);
    expect(hub.service.getOnlineClients()).toEqual(['bursty']);
    await pause(2_300);
    for (let n = 0; n < 110; n++) bursty.send({ to_client_id: 'server', content: 'x' });
    await pause(200);
    expect(hub.service.getOnlineClients()).toEqual(['bursty']);
  });
});
