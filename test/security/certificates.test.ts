import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientOptions } from 'ws';
import { RecordingLogger } from '../module/recording.logger.js';
import { onCleanUp } from '../support/clean-up.js';
import { selfSigned, signedBy, type CertificateFiles } from '../support/certificates.js';
import { loginOutcome } from '../support/login-outcome.js';
import { openHub, pause, temporaryDirectory } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { hashToken } from '../../src/security/index.js';

let directory: string;
let hubFiles: CertificateFiles;
let ca: CertificateFiles;
let otherCa: CertificateFiles;
let alice: CertificateFiles;
let stranger: CertificateFiles;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cross-comm-certificates-'));
  hubFiles = selfSigned(directory, 'hub');
  ca = selfSigned(directory, 'ca');
  otherCa = selfSigned(directory, 'other-ca');
  alice = signedBy(ca, directory, 'alice', 'DNS:alice.example, URI:cross-comm:alice');
  stranger = signedBy(otherCa, directory, 'stranger');
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const tls = () => ({ tlsCertFile: hubFiles.cert, tlsKeyFile: hubFiles.key });
const mutual = (tlsClientCert: 'optional' | 'required') => ({ ...tls(), tlsClientCaFile: ca.cert, tlsClientCert });

/** Options of a client that trusts the hub and shows a certificate. */
function showing(files?: CertificateFiles): ClientOptions {
  return { ca: readFileSync(hubFiles.cert), ...(files === undefined ? {} : { cert: readFileSync(files.cert), key: readFileSync(files.key) }) };
}

describe('Client certificates', () => {
  test('that are required: none and one of another CA end in TLS, a good one logs in under its name only', async () => {
    const hub = await openHub({ ...mutual('required'), auth: { certificates: 'cn' } });
    await expect(loginOutcome(hub.url, 'alice', undefined, showing())).rejects.toThrow(/certificate|socket|ECONNRESET|EPIPE/);
    await expect(loginOutcome(hub.url, 'stranger', undefined, showing(stranger))).rejects.toThrow(/certificate|socket|ECONNRESET|EPIPE/);
    expect(hub.service.refusalCounts.tls).toBe(2);
    expect(await loginOutcome(hub.url, 'alice', undefined, showing(alice))).toBe('success');
    expect(await loginOutcome(hub.url, 'bob', undefined, showing(alice))).toEqual({ code: 'CC_AUTH_FAILED', closed: 4401, message: expect.stringContaining('not for this client id') });
  });

  test('that are optional: who shows none, or one of another CA, may log in by token only', async () => {
    const hub = await openHub({ ...mutual('optional'), auth: { certificates: 'cn', tokens: { bob: hashToken('secret-b'), stranger: hashToken('secret-s') } } });
    expect(await loginOutcome(hub.url, 'alice', undefined, showing(alice))).toBe('success');
    for (const files of [undefined, stranger]) {
      expect(await loginOutcome(hub.url, 'stranger', undefined, showing(files))).toMatchObject({ code: 'CC_AUTH_FAILED', closed: 4401 });
      expect(await loginOutcome(hub.url, 'stranger', 'secret-s', showing(files))).toBe('success');
    }
    // each is for its own id
    expect(await loginOutcome(hub.url, 'bob', undefined, showing(alice))).toMatchObject({ closed: 4401 });
    expect(await loginOutcome(hub.url, 'alice', 'secret-b', showing(stranger))).toMatchObject({ closed: 4401 });
  });

  test.each([['dns', 'alice.example'], ['uri', 'cross-comm:alice']] as const)('name the client by %s', async (certificates, id) => {
    const hub = await openHub({ ...mutual('required'), auth: { certificates } });
    expect(await loginOutcome(hub.url, id, undefined, showing(alice))).toBe('success');
    expect(await loginOutcome(hub.url, 'alice', undefined, showing(alice))).toMatchObject({ code: 'CC_AUTH_FAILED' });
  });

  test('are revoked by their fingerprint', async () => {
    const hub = await openHub({ ...mutual('required'), auth: { certificates: 'cn' } });
    const client = await RawClient.connect(hub.url, showing(alice));
    await client.login('alice');
    const { fingerprint256 } = (client.socket as unknown as { _socket: TLSSocket })._socket.getCertificate() as { fingerprint256: string };
    // spelt as some tools do
    expect(hub.service.revoke({ credential: `certificate:${fingerprint256.replaceAll(':', '').toLowerCase()}` })).toBe(1);
    expect((await client.closed()).code).toBe(4401);
    expect(await loginOutcome(hub.url, 'alice', undefined, showing(alice))).toMatchObject({ closed: 4401, message: expect.stringContaining('revoked') });
  });

  test.each(['required', 'optional'] as const)('that are over let nobody in (%s)', async (tlsClientCert) => {
    const over = signedBy(ca, directory, 'over', 'DNS:over.example', -1);
    const hub = await openHub({ ...mutual(tlsClientCert), auth: { certificates: 'cn' } });
    const outcome = await loginOutcome(hub.url, 'over', undefined, showing(over)).catch((error: unknown) => String(error));
    if (tlsClientCert === 'required') expect(outcome).toMatch(/certificate|socket|ECONNRESET|EPIPE/);
    else expect(outcome).toMatchObject({ code: 'CC_AUTH_FAILED', closed: 4401 });
    expect(hub.registry.onlineCount).toBe(0);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('of a CA that is no longer trusted let nobody in, not even by a %s session of before', async (maxVersion) => {
    const tlsClientCaFile = join(await temporaryDirectory(), 'trusted.pem');
    await copyFile(ca.cert, tlsClientCaFile);
    const hub = await openHub({ ...tls(), tlsClientCaFile, tlsClientCert: 'required', tlsReloadMs: 50, auth: { certificates: 'cn' } });
    const socket = tlsConnect({ port: hub.port, host: '127.0.0.1', ...(showing(alice) as object), maxVersion });
    onCleanUp(() => socket.destroy());
    const [session] = (await once(socket, 'session')) as [Buffer];
    const resumed = { ...showing(alice), session, maxVersion } as ClientOptions;
    expect(await loginOutcome(hub.url, 'alice', undefined, resumed)).toBe('success');
    await copyFile(otherCa.cert, tlsClientCaFile);
    let outcome: unknown = 'success';
    for (let n = 0; n < 40 && outcome === 'success'; n++) {
      await pause(50);
      outcome = await loginOutcome(hub.url, 'alice', undefined, resumed).catch((error: unknown) => String(error));
    }
    expect(outcome).toMatch(/certificate|socket|ECONNRESET|EPIPE/);
  });

  test('do not stand in for a token in auth.refresh', async () => {
    const hub = await openHub({ ...mutual('required'), auth: { certificates: 'cn' } });
    const client = await RawClient.connect(hub.url, showing(alice));
    await client.login('alice', { cross_comm: { protocol: 2 } });
    client.send({ msg_type: 'request', msg_id: 'r', content: { action: 'auth.refresh', data: { token: 'x' } } });
    expect((await client.next()).content).toMatchObject({ reply_to: 'r', code: 'CC_AUTH_FAILED' });
  });

  test('want both options and an own port', async () => {
    for (const options of [{ tlsClientCert: 'required' as const }, { tlsClientCaFile: ca.cert }])
      await expect(openHub({ ...tls(), ...options })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
    await expect(openHub({ tlsClientCaFile: ca.cert, tlsClientCert: 'required' })).rejects.toThrow(/TLS needs both/);
  });
});

describe('TLS', () => {
  test.each(['TLSv1', 'TLSv1.1'] as const)('%s is refused, 1.2 is spoken', async (version) => {
    const { port, service } = await openHub(tls());
    const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });
    onCleanUp(() => socket.destroy());
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/);
    expect(service.refusalCounts.tls).toBe(1);
    const newer = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    onCleanUp(() => newer.destroy());
    await once(newer, 'secureConnect');
    expect(newer.getProtocol()).toBe('TLSv1.2');
  });

  test('a peer that never finishes its handshake is cut', async () => {
    const { port } = await openHub({ ...tls(), handshakeTimeoutMs: 200 });
    const { connect } = await import('node:net');
    const socket = connect(port, '127.0.0.1');
    onCleanUp(() => socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, 'close');
  });

  test('a new certificate is used for new connections; open ones stay, a broken one changes nothing', async () => {
    const folder = await temporaryDirectory();
    const [tlsCertFile, tlsKeyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await copyFile(hubFiles.cert, tlsCertFile);
    await copyFile(hubFiles.key, tlsKeyFile);
    const hub = await openHub({ tlsCertFile, tlsKeyFile, tlsReloadMs: 50 });
    const logger = RecordingLogger.install();
    onCleanUp(() => logger.restore());
    const before = await RawClient.connect(hub.url, showing());
    await before.login('before');
    await writeFile(tlsCertFile, 'broken');
    await pause(200);
    await (await RawClient.connect(hub.url, showing())).login('meanwhile');
    // certificate and key change one after the other: what does not fit together is not used
    for (const [from, to] of [[otherCa.cert, tlsCertFile], [otherCa.key, tlsKeyFile]] as const) {
      await copyFile(from, `${to}.new`);
      await rename(`${to}.new`, to);
      await pause(120);
    }
    expect(logger.errors.filter((line) => line.startsWith('The TLS certificate has changed and cannot be used; what it held before stays in use.')).length).toBeGreaterThanOrEqual(2);
    const replaced = await readFile(otherCa.cert);
    let error: unknown;
    for (let n = 0; n < 40; n++) {
      error = await RawClient.connect(hub.url, { ca: replaced }).then(() => undefined, (caught: unknown) => caught);
      if (error === undefined) break;
      await pause(50);
    }
    expect(error).toBeUndefined();
    await expect(RawClient.connect(hub.url, showing())).rejects.toThrow('self-signed');
    before.send({ to_client_id: 'before', content: 'still here' });
    expect((await before.next()).content).toBe('still here');
  });
});
