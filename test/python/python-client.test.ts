import { beforeAll, describe, expect, test } from '@jest/globals';
import type { TestHub } from '../../src/testing/index.js';
import { openHub, temporaryDirectory, until } from '../support/open-hub.js';
import { PythonProcess, requirePythonModule } from '../support/python-process.js';
import { RawClient } from '../support/raw-client.js';

/** A Python client that is logged in and tells of every message. */
async function pythonClient(hub: TestHub, id: string): Promise<PythonProcess> {
  const python = new PythonProcess('cross_comm_like_client.py');
  await python.run({ do: 'listen', name: 'any', url: hub.url, id, heartbeat_interval: 0.2 });
  expect(await python.run({ do: 'login' })).toBe(true);
  expect(await python.message('any')).toMatchObject({ type: 'login_response', frm: 'server', to: id, python: "{'status': 'success'}", timestamp: 'float' });
  return python;
}

describe("A client on Debian's python3-websockets", () => {
  beforeAll(() => requirePythonModule('websockets', 'python3-websockets'));

  test('logs in, offers compression and does without, beats at once, answers and gets pings, lists, leaves', async () => {
    const hub = await openHub({ heartbeatInterval: 0.2, heartbeatTimeout: 1 });
    const python = await pythonClient(hub, 'py');
    expect(await python.run({ do: 'state' })).toEqual({ is_connected: true, open: true, extensions: [] });
    await python.run({ do: 'ping' });
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(hub.service.getOnlineClients()).toEqual(['py']);
    for (const only_show_online of [true, false])
      expect(await python.run({ do: 'list', only_show_online })).toEqual({
        clients: [{ client_id: 'py', status: 'online', last_heartbeat: expect.any(Number), login_time: expect.any(Number) }],
        total_count: 1,
        only_show_online,
      });
    await python.run({ do: 'logout' });
    await until(() => hub.service.getOnlineClients().length === 0, 'the logout');
  });

  test('sends all seven types, and a raw client sees what json.dumps wrote', async () => {
    const hub = await openHub();
    const raw = await RawClient.old(hub.url, 'raw');
    const python = await pythonClient(hub, 'py');
    const all = Buffer.from(Array.from({ length: 256 }, (_, n) => n)).toString('base64');
    const cases: readonly (readonly [command: Record<string, unknown>, spelling: string])[] = [
      [{ type: 'text', content: 'hello 你好' }, '"text", "content": "hello \\u4f60\\u597d"'],
      [{ type: 'json', content: '{"k": [1, 2.50]}' }, '"json", "content": "{\\"k\\": [1, 2.50]}"'],
      [{ type: 'dict', content: { a: 1, 键: null } }, '"dict", "content": {"a": 1, "\\u952e": null}'],
      [{ type: 'bytes', expression: 'bytes' }, `"bytes", "content": "${all}"`],
      [{ type: 'file', content: '/tmp/a.txt', oss_key: 'cross_comm/py/1_0c3f94b0.txt' }, '"file", "content": "/tmp/a.txt"'],
      [{ type: 'image', content: '/tmp/a.PNG' }, '"image", "content": "/tmp/a.PNG"'],
      [{ type: 'folder', content: '/tmp/a' }, '"folder", "content": "/tmp/a"'],
      [{ type: 'dict', expression: 'nan' }, '"dict", "content": {"x": NaN, "y": Infinity}'],
      [{ type: 'dict', expression: 'big' }, '"dict", "content": {"n": 18446744073709551617, "f": 1.0, "z": -0.0}'],
      [{ type: 'text', expression: 'surrogate' }, '"text", "content": "\\ud83d"'],
    ];
    for (const [command, spelling] of cases) {
      expect(await python.run({ do: 'send', to: 'raw', ...command })).toBe(true);
      expect(await raw.nextText()).toContain(`"from_client_id": "py", "to_client_id": "raw", "msg_type": ${spelling}, "timestamp": `);
    }
    expect(await python.run({ do: 'send', type: 'json', content: '{nope' })).toBe(false);
    await raw.expectNothingElse();
  });

  test('receives all of it from a raw client, directly and by broadcast, through its filters', async () => {
    const hub = await openHub();
    const raw = await RawClient.announced(hub.url, 'raw');
    const python = await pythonClient(hub, 'py');
    await python.run({ do: 'listen', name: 'texts of raw', type: 'text', from: 'raw' });
    await python.run({ do: 'listen', name: 'of eve', from: 'eve' });
    const cases: readonly (readonly [type: string, content: unknown, seen: Record<string, unknown>])[] = [
      ['text', '你好 😀', { python: "'你好 😀'" }],
      ['json', '{"a":1}', { python: '\'{"a":1}\'' }],
      ['dict', { a: [1, null, true] }, { python: "{'a': [1, None, True]}" }],
      ['bytes', 'AP8=', { bytes: '00ff' }],
      ['file', 'f.txt', { python: "'f.txt'" }],
      ['image', 'i.png', { python: "'i.png'" }],
      ['folder', 'dir', { python: "'dir'" }],
    ];
    for (const [msg_type, content, seen] of cases)
      for (const to_client_id of ['py', 'all']) {
        raw.send({ msg_type, content, to_client_id, oss_key: 'k', ext: { never: 'shown' } });
        expect(await python.message('any')).toMatchObject({ type: msg_type, frm: 'raw', to: to_client_id, oss_key: 'k', timestamp: 'float', ...seen });
      }
    for (let i = 0; i < 2; i++) expect((await python.message('texts of raw'))['type']).toBe('text');
    expect(python.waiting('message')).toEqual([]);
    expect(python.waiting('undecodable')).toEqual([]);
  });

  test('two Python clients exchange a megabyte of CJK in escapes, NaN and integers beyond 64 bits', async () => {
    const hub = await openHub();
    const alice = await pythonClient(hub, 'alice');
    const bob = await pythonClient(hub, 'bob');
    expect(await alice.run({ do: 'send', type: 'text', expression: 'cjk', to: 'bob' })).toBe(true);
    expect(await bob.message('any')).toMatchObject({ frm: 'alice', length: 174_000, utf8: 522_000, set: ['界'] });
    await alice.run({ do: 'send', type: 'dict', expression: 'nan' });
    expect(await bob.message('any')).toMatchObject({ python: "{'x': nan, 'y': inf}" });
    await alice.run({ do: 'send', type: 'dict', expression: 'big' });
    expect(await bob.message('any')).toMatchObject({ python: "{'n': 18446744073709551617, 'f': 1.0, 'z': -0.0}" });
    expect(alice.waiting('message')).toEqual([]);
  });

  test('survives 900 kB of raw CJK, which the Python server would have blown up beyond its limit', async () => {
    const hub = await openHub();
    const python = await pythonClient(hub, 'py');
    const raw = await RawClient.old(hub.url, 'raw');
    raw.send({ to_client_id: 'py', content: '界'.repeat(300_000) });
    expect(await python.message('any')).toMatchObject({ length: 300_000, utf8: 900_000 });
    expect(await python.run({ do: 'state' })).toMatchObject({ is_connected: true });
  });

  test('sees a restart of the hub as an end of its connection and can log in again', async () => {
    const dataDir = await temporaryDirectory();
    const hub = await openHub({ dataDir });
    const python = await pythonClient(hub, 'py');
    await hub.close();
    expect(await python.event((event) => event['ev'] === 'closed', 'the close')).toMatchObject({ code: 1012, is_connected: false });
    expect(await python.run({ do: 'send', type: 'text', content: 'x' })).toBe(false);
    await openHub({ dataDir, port: hub.port });
    expect(await python.run({ do: 'login' })).toBe(true);
    expect(await python.message('any')).toMatchObject({ type: 'login_response' });
  });

  test.each([
    ['a takeover', 4009, async (hub: TestHub): Promise<unknown> => RawClient.old(hub.url, 'py')],
    ['being sent away', 4000, async (hub: TestHub): Promise<unknown> => hub.service.disconnectClient('py')],
  ])('notices %s', async (_what, code, act) => {
    const hub = await openHub();
    const python = await pythonClient(hub, 'py');
    await act(hub);
    expect(await python.event((event) => event['ev'] === 'closed', 'the close')).toMatchObject({ code, is_connected: false });
    expect(python.waiting('loop-ended')).toEqual([]);
  });

  test('gets its mail compressed when the hub is told to', async () => {
    const hub = await openHub({ compression: true });
    const python = await pythonClient(hub, 'py');
    expect(await python.run({ do: 'state' })).toMatchObject({ extensions: ['permessage-deflate'] });
    const raw = await RawClient.old(hub.url, 'raw');
    raw.send({ to_client_id: 'py', content: 'x'.repeat(50_000) });
    expect(await python.message('any')).toMatchObject({ length: 50_000 });
    await python.run({ do: 'send', type: 'text', content: 'y'.repeat(999), to: 'raw' });
    expect((await raw.next()).content).toBe('y'.repeat(999));
  });
});
