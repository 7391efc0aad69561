import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { selfSigned } from '../support/certificates.js';
import { onCleanUp } from '../support/clean-up.js';
import { SECRET } from '../support/jwt.js';
import { openHub, temporaryDirectory } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { RawSocket } from '../support/raw-socket.js';
import { UPGRADE_ROWS } from './upgrade-rows.js';

const UPGRADE = ['GET / HTTP/1.1', 'Host: hub', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version: 13'];

describe('An upgrade', () => {
  test.each(Object.entries(UPGRADE_ROWS))('that is refused (%s) gets exactly this answer, is counted, and keeps nothing', async (kind, { options, header, status, headers }) => {
    const hub = await openHub(options);
    if (kind.endsWith('_full')) await RawClient.connect(hub.url);
    const { head, client } = await RawSocket.request(hub.port, [...UPGRADE, ...(header === undefined ? [] : [header])]);
    expect(head.split('\r\n')).toEqual([`HTTP/1.1 ${status}`, 'Connection: close', ...(headers ?? []), 'Content-Length: 0']);
    await client.ended(1_000);
    expect(hub.service.refusalCounts).toMatchObject({ [kind]: 1 });
  });

  test('by TLS that is too old never begins, and is counted as tls', async () => {
    const files = selfSigned(await temporaryDirectory(), 'hub');
    const hub = await openHub({ tlsCertFile: files.cert, tlsKeyFile: files.key });
    const socket = connectTls({ port: hub.port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    onCleanUp(() => socket.destroy());
    await once(socket, 'error');
    expect(hub.service.refusalCounts).toMatchObject({ tls: 1 });
  });

  test('without a fault passes all of them', async () => {
    const hub = await openHub({ allowedOrigins: ['https://app.example'], maxConnections: 1, maxConnectionsPerAddress: 1, auth: { jwt: { secret: SECRET } } });
    await RawClient.connect(hub.url, { headers: { Origin: 'https://app.example' } });
  });
});
