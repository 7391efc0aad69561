import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { openHub, temporaryDirectory } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { RawSocket } from '../support/raw-socket.js';

describe('The door', () => {
  test.each(['https://evil.example', 'null', 'http://localhost', 'https://app.example.com:8443', 'https://app.example.com.evil.example'])(
    'refuses a page of origin %s with 403',
    async (origin) => {
      const { url } = await openHub({ allowedOrigins: ['https://app.example.com'] });
      await expect(RawClient.connect(url, { headers: { Origin: origin } })).rejects.toThrow('403');
    },
  );

  test('lets in the origins that are listed, and all with "*"', async () => {
    const { url } = await openHub({ allowedOrigins: ['https://app.example.com'] });
    await RawClient.connect(url, { headers: { Origin: 'https://app.example.com' } });
    const open = await openHub({ allowedOrigins: ['*'] });
    await RawClient.connect(open.url, { headers: { Origin: 'https://anyone.example' } });
  });

  test('takes any path unless one is set', async () => {
    const hub = await openHub();
    await RawClient.connect(`${hub.url}/some/path?x=1`);
    const strict = await openHub({ path: '/ws' });
    await RawClient.connect(`${strict.url}/ws?token=1`);
    await expect(RawClient.connect(`${strict.url}/other`)).rejects.toThrow('404');
  });

  test('a peer that is gone before its upgrade is refused does not end the hub', async () => {
    const { port, url } = await openHub({ path: '/ws' });
    for (let n = 0; n < 50; n++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      // what is still unread when the hub writes makes its system report the reset at that write
      socket.write(`GET /other HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${'x'.repeat(200_000)}`);
      socket.resetAndDestroy();
    }
    await RawClient.old(`${url}/ws`, 'alice');
  });

  test('declines compression by default and takes it when the option is set', async () => {
    const plain = await openHub();
    const offered = await RawClient.connect(plain.url, { perMessageDeflate: true });
    expect(offered.socket.extensions).toBe('');
    const compressing = await openHub({ compression: true });
    const alice = await RawClient.connect(compressing.url, { perMessageDeflate: { threshold: 0 } });
    expect(alice.socket.extensions).toMatch(/^permessage-deflate/);
    await alice.login('alice');
    const sent = alice.send({ to_client_id: 'alice', content: 'x'.repeat(100_000) });
    expect((await alice.nextText()) === sent).toBe(true);
  });

  test('counts a compressed message as large as it becomes, before login and after', async () => {
    const { url } = await openHub({ compression: true });
    const bomb = await RawClient.connect(url, { perMessageDeflate: { threshold: 0 } });
    bomb.send('x'.repeat(100_000));
    expect((await bomb.closed()).code).toBe(1009);
    const alice = await RawClient.connect(url, { perMessageDeflate: { threshold: 0 } });
    await alice.login('alice');
    alice.send({ content: 'x'.repeat(2_000_000) });
    expect((await alice.closed()).code).toBe(1009);
  });

  test.each([
    ['GET', 426],
    ['HEAD', 426],
    ['POST', 400],
    ['DELETE', 400],
  ])('answers a plain %s with %i and closes', async (method, status) => {
    const { port } = await openHub();
    const { client, head } = await RawSocket.request(port, [`${method} / HTTP/1.1`, 'Host: hub', 'Content-Length: 0']);
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(/^Upgrade: websocket$/m.test(head.replaceAll('\r', ''))).toBe(status === 426);
    await client.ended(1_000);
  });

  test.each([
    ['another protocol to upgrade to', ['GET / HTTP/1.1', 'Host: hub', 'Connection: Upgrade', 'Upgrade: h2c']],
    ['a missing key', ['GET / HTTP/1.1', 'Host: hub', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']],
    ['headers beyond 16 KiB', ['GET / HTTP/1.1', 'Host: hub', `X-Pad: ${'x'.repeat(17_000)}`]],
  ])('refuses %s with a 4xx and lives', async (_what, lines) => {
    const { port, url } = await openHub();
    const { head } = await RawSocket.request(port, lines);
    expect(head).toMatch(/^HTTP\/1\.1 4\d\d /);
    await RawClient.old(url, 'alice');
  });

  test('speaks TLS with a certificate', async () => {
    const directory = await temporaryDirectory();
    const [tlsKeyFile, tlsCertFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', [...request, '-keyout', tlsKeyFile, '-out', tlsCertFile], { stdio: 'ignore' });
    const { url, port } = await openHub({ tlsCertFile, tlsKeyFile });
    expect(url).toBe(`wss://127.0.0.1:${port}`);
    await expect(RawClient.connect(url)).rejects.toThrow('self-signed');
    const alice = await RawClient.connect(url, { ca: readFileSync(tlsCertFile) });
    await alice.login('alice');
    const sent = alice.send({ to_client_id: 'alice', content: 'x'.repeat(300_000) });
    expect((await alice.nextText()) === sent).toBe(true);
    await expect(RawClient.connect(`ws://127.0.0.1:${port}`)).rejects.toThrow('socket hang up');
  });

  test('refuses half a TLS configuration and unreadable files at start', async () => {
    await expect(openHub({ tlsCertFile: '/nonexistent.pem' })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
    await expect(openHub({ tlsCertFile: '/nonexistent.pem', tlsKeyFile: '/nonexistent.pem' })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
  });
});
