import { beforeAll, describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashToken } from '../../src/security/index.js';
import { SECRET, hs256 } from '../support/jwt.js';
import { runCli, startCli } from '../cli/run-cli.js';
import { onCleanUp } from '../support/clean-up.js';
import { openHub, temporaryDirectory, until } from '../support/open-hub.js';
import { PythonProcess, requirePythonModule } from '../support/python-process.js';

const tokens = { alice: hashToken('secret-a'), py: hashToken('secret-p') };

describe('The command line', () => {
  test('server takes a token file and says so in place of the warning; clients give --token', async () => {
    const folder = await temporaryDirectory();
    await writeFile(join(folder, 'tokens.json'), JSON.stringify(tokens));
    const server = startCli(['server', '--port', '0', '--host', '127.0.0.1', '--storage', 'none', '--data-dir', folder, '--auth-tokens', join(folder, 'tokens.json')]);
    onCleanUp(() => server.child.kill());
    const banner = await server.printed('logins:');
    expect(banner).toContain('logins:  tokens of 2 client ids and 0 patterns');
    const [url = ''] = /ws:\/\/[\d.:]+/.exec(banner) ?? [];
    const flags = ['clients', '--url', url, '--id', 'alice'];
    expect((await runCli([...flags, '--token', 'secret-a'])).exitCode).toBe(0);
    const refused = await runCli([...flags, '--token', 'secret-x']);
    expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('CC_AUTH_FAILED') });
    expect(refused.stderr).not.toContain('secret-x');
    server.child.kill();
    const { stdout, stderr } = await server.finished;
    expect(stdout).not.toContain('WARNING');
    expect(stderr + stdout).not.toContain('secret-');
  });

  test('server takes JWT keys from a file or the environment, never from its command line, and limits as flags', async () => {
    const folder = await temporaryDirectory();
    await writeFile(join(folder, 'secret'), `${SECRET}\n`);
    const flags = ['server', '--port', '0', '--host', '127.0.0.1', '--storage', 'none', '--data-dir', folder, '--jwt-issuer', 'me', '--logins-per-second', '0.001', '--max-connections', '5'];
    for (const start of [() => startCli([...flags, '--jwt-secret-file', join(folder, 'secret')]), () => startCli(flags, undefined, { CROSS_COMM_JWT_SECRET: SECRET })]) {
      const server = start();
      onCleanUp(() => server.child.kill());
      const banner = await server.printed('logins:');
      expect(banner).toContain('logins:  JWT (HS256)');
      const [url = ''] = /ws:\/\/[\d.:]+/.exec(banner) ?? [];
      const asAlice = (token: string) => runCli(['clients', '--url', url, '--id', 'alice', '--token', token]);
      expect((await asAlice(hs256({ sub: 'alice', iss: 'me' }))).exitCode).toBe(0);
      expect(await asAlice(hs256({ sub: 'alice', iss: 'you' }))).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('CC_AUTH_FAILED') });
      server.child.kill();
      const { stdout, stderr } = await server.finished;
      expect(stdout + stderr).not.toContain(SECRET);
    }
  });

  test.each([
    [['--jwt-issuer', 'me'], 'need --jwt-secret-file'],
    [['--client-cert-name', 'cn'], 'needs --tls-ca'],
    [['--client-certs', 'maybe'], 'Allowed choices are optional, required'],
    [['--jwks', '/nowhere.json'], 'The JWKS file'],
    [['--trusted-proxy', 'proxy.example'], 'trustedProxies'],
  ])('server refuses %j and says why', async (flags, problem) => {
    const { exitCode, stderr } = await runCli(['server', '--port', '0', '--host', '127.0.0.1', '--storage', 'none', '--data-dir', await temporaryDirectory(), ...flags]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(problem);
  });

  test('a server without authentication warns, and says how to switch it on', async () => {
    const server = startCli(['server', '--port', '0', '--host', '127.0.0.1', '--storage', 'none', '--data-dir', await temporaryDirectory()]);
    onCleanUp(() => server.child.kill());
    await server.printed('WARNING: authentication is OFF');
    await server.printed('logins:  anonymous');
    server.child.kill();
    await server.finished;
  });
});

describe("A client on Debian's python3-websockets", () => {
  beforeAll(() => requirePythonModule('websockets', 'python3-websockets'));

  test('logs in with id:token@host, and not with a wrong token', async () => {
    const hub = await openHub({ auth: { tokens } });
    const client = async (credentials: string): Promise<PythonProcess> => {
      const python = new PythonProcess('cross_comm_like_client.py');
      await python.run({ do: 'listen', name: 'any', url: hub.url.replace('ws://', `ws://${credentials}@`), id: 'py', heartbeat_interval: 0.2 });
      await python.run({ do: 'login' });
      return python;
    };
    await client('py:secret-p');
    expect(hub.service.getOnlineClients()).toEqual(['py']);
    await client('py:wrong');
    await until(() => hub.service.refusalCounts.auth_failed === 1, 'the refusal');
    expect(hub.service.getOnlineClients()).toEqual(['py']);
  });
});
