import { describe, expect, test } from '@jest/globals';
import type { ClientEvent, Connection } from '../../src/clients/index.js';
import type { WebSocketConnection } from '../../src/gateway/web-socket.connection.js';
import type { TestHub, TestHubOptions } from '../../src/testing/index.js';
import { RecordingLogger } from '../module/recording.logger.js';
import { onCleanUp } from '../support/clean-up.js';
import { confirm, mailClient, receive, seqOf, untilAcked } from '../support/mail-client.js';
import { expectOneTruth } from '../support/one-truth.js';
import { openHub, pause, until, untilConnections } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import type { WireFrame } from '../support/wire.js';

const KIB = 1_024;
const SOFT = 256 * KIB;
const HARD = 1_024 * KIB;
const BODY = 'x'.repeat(16 * KIB);
/** A message with its envelope, at most. */
const MESSAGE_BYTES = BODY.length + 512;

function open(slowReceiver: 'drop_oldest' | 'block_sender', options: TestHubOptions = {}): Promise<TestHub> {
  return openHub({ slowReceiver, softBufferedBytes: SOFT, maxBufferedBytes: HARD, closeTimeoutMs: 4_000, delivery: { store: 'memory' }, ...options });
}

function connectionOf(hub: TestHub, id: string): Connection {
  return (hub.registry.find(id) as { connection: Connection }).connection;
}

/** Incompressible, so that compression does not make a slow receiver fast. */
function noise(): string {
  return Array.from({ length: BODY.length }, () => String.fromCharCode(33 + Math.floor(Math.random() * 90)).replace('\\', '/').replace('"', "'")).join('');
}

/** Sends numbered messages, in steps that the hub has handled, while `goesOn`. @returns how many there were */
async function flood(sender: RawClient, to: string, goesOn: () => boolean, body = BODY): Promise<number> {
  let count = 0;
  while (goesOn()) {
    expect(count).toBeLessThan(5_000);
    for (let step = 0; step < 8; step++) sender.send({ to_client_id: to, content: `${count++} ${body}` });
    await sender.expectNothingElse();
  }
  return count;
}

const numberOf = ({ content }: WireFrame): number => Number.parseInt(content as string, 10);

const range = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, n) => from + n);

/** Reads until a frame is like this. */
async function readUntil(client: RawClient, isLast: (frame: WireFrame) => boolean): Promise<WireFrame[]> {
  const frames: WireFrame[] = [];
  for (;;) {
    const frame = await client.next();
    frames.push(frame);
    if (isLast(frame)) return frames;
  }
}

const isNotice = ({ msg_type, content }: WireFrame): boolean => msg_type === 'error' && (content as { code: string }).code === 'CC_SLOW_RECEIVER';

describe('With drop_oldest, a receiver that does not read', () => {
  test.each([false, true])('misses the oldest live messages, is told how many when it reads again, and stays online (compression: %s)', async (compression) => {
    const logger = RecordingLogger.install();
    onCleanUp(() => logger.restore());
    const hub = await open('drop_oldest', { compression, log: true });
    logger.warnings.length = 0;
    const sender = await RawClient.announced(hub.url, 'sender');
    const stuck = await RawClient.connect(hub.url, { perMessageDeflate: compression });
    await stuck.login('stuck', { cross_comm: { protocol: 2, features: ['errors'] } });
    const connection = connectionOf(hub, 'stuck');
    stuck.socket.pause();
    let mostBytes = 0;
    const count = await flood(
      sender,
      'stuck',
      () => {
        mostBytes = Math.max(mostBytes, connection.bufferedBytes);
        return hub.service.droppedMessages < 40;
      },
      compression ? noise() : BODY,
    );
    // what is in the socket, and as much again beside it
    expect(mostBytes).toBeGreaterThan(SOFT);
    expect(mostBytes).toBeLessThanOrEqual(2 * SOFT + MESSAGE_BYTES);
    stuck.socket.resume();
    const frames = await readUntil(stuck, isNotice);
    const notice = frames.pop() as WireFrame;
    const dropped = hub.service.droppedMessages;
    expect(notice).toMatchObject({
      msg_type: 'error',
      from_client_id: 'server',
      to_client_id: 'stuck',
      content: { reply_to: null, code: 'CC_SLOW_RECEIVER', data: { dropped } },
    });
    expect((notice.content as { message: string }).message).toMatch(new RegExp(`^CC_SLOW_RECEIVER: ${dropped} messages were dropped\\. `));
    const got = frames.map(numberOf);
    const hole = got.findIndex((number, place) => number !== place);
    expect(got).toEqual([...range(0, hole), ...range(hole + dropped, count)]);
    // it is as any other now
    sender.send({ to_client_id: 'stuck', content: 'after' });
    expect((await stuck.next()).content).toBe('after');
    await stuck.expectNothingElse();
    expect(connection.bufferedBytes).toBe(0);
    await expectOneTruth(hub, sender, ['sender', 'stuck']);
    expect(hub.service.droppedMessages).toBe(dropped);
    expect(logger.warnings.filter((line) => line.includes('too slow'))).toEqual([expect.stringMatching(/^Receivers are too slow, now "stuck": \d+ live messages dropped so far\. /)]);
  });

  test('gets what it gets of each sender in order, and an old client no word about the rest', async () => {
    const hub = await open('drop_oldest');
    const senders = [await RawClient.old(hub.url, 'one'), await RawClient.old(hub.url, 'two')] as const;
    const stuck = await RawClient.old(hub.url, 'stuck');
    stuck.socket.pause();
    for (let round = 0; hub.service.droppedMessages < 100; round++) {
      for (const sender of senders) for (let step = 0; step < 5; step++) sender.send({ to_client_id: 'stuck', content: `${round * 5 + step} ${BODY}` });
      for (const sender of senders) await sender.expectNothingElse();
    }
    for (const sender of senders) sender.send({ to_client_id: 'stuck', content: 'end' });
    for (const sender of senders) await sender.expectNothingElse();
    stuck.socket.resume();
    let ends = 0;
    const frames = await readUntil(stuck, ({ content }) => content === 'end' && ++ends === 2);
    for (const { id } of senders) {
      const numbers = frames.filter(({ from_client_id, content }) => from_client_id === id && content !== 'end').map(numberOf);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      expect(new Set(numbers).size).toBe(numbers.length);
    }
    await stuck.expectNothingElse();
  });

  test('misses broadcasts and messages to its group alike, while those who read get all', async () => {
    const hub = await open('drop_oldest');
    const sender = await RawClient.old(hub.url, 'sender');
    const [stuck, reader] = [await RawClient.announced(hub.url, 'stuck'), await RawClient.old(hub.url, 'reader')];
    for (const id of ['stuck', 'reader']) await hub.service.joinGroup('g', id);
    stuck.socket.pause();
    let count = 0;
    while (hub.service.droppedMessages < 40) {
      for (let step = 0; step < 8; step++) sender.send({ to_client_id: step % 2 === 0 ? 'all' : 'group:g', content: `${count++} ${BODY}` });
      await sender.expectNothingElse();
    }
    expect((await receive(reader, count)).map(numberOf)).toEqual(range(0, count));
    stuck.socket.resume();
    const frames = await readUntil(stuck, isNotice);
    expect(frames).toHaveLength(count - hub.service.droppedMessages + 1);
  });

  test('still gets every ack, error, answer and mail, and no mail twice', async () => {
    const hub = await open('drop_oldest');
    const [sender, stuck] = [await RawClient.announced(hub.url, 'sender'), await mailClient(hub.url, 'stuck')];
    const friend = await mailClient(hub.url, 'friend');
    stuck.socket.pause();
    await flood(sender, 'stuck', () => hub.service.droppedMessages === 0);
    const mail = range(0, 20).map((n) => friend.send({ msg_id: `mail${n}`, to_client_id: 'stuck', content: `${n}` }));
    await untilAcked(friend, 'stored', range(0, mail.length).map((n) => `mail${n}`));
    // a client that does not read may speak
    const own = range(0, 20).map((n) => `own${n}`);
    for (const id of own) stuck.send({ msg_id: id, to_client_id: 'friend', content: id });
    expect((await receive(friend, own.length)).map(({ msg_id }) => msg_id)).toEqual(own);
    stuck.send({ msg_id: 'nobody', to_client_id: 'nobody', content: '' });
    stuck.send({ msg_id: 'asked', msg_type: 'request', content: { action: 'ping' } });
    stuck.send({ msg_type: 'list_clients', content: '{}' });
    await until(() => connectionOf(hub, 'stuck').unackedMessages === 0, 'its messages are stored');
    const before = hub.service.droppedMessages;
    await flood(sender, 'stuck', () => hub.service.droppedMessages < before + 40);
    stuck.socket.resume();
    const frames = await readUntil(stuck, isNotice);
    const acked = frames.filter(({ msg_type }) => msg_type === 'ack').flatMap(({ content }) => (content as { msg_ids: string[] }).msg_ids);
    expect(acked).toEqual(own);
    const letters = frames.filter(({ ext }) => ext !== undefined);
    expect(letters.map(({ content }) => content)).toEqual(range(0, mail.length).map(String));
    expect(frames.filter(({ msg_type }) => msg_type === 'list_clients_response')).toHaveLength(1);
    expect(frames.filter(({ msg_type }) => msg_type === 'response').map(({ content }) => content)).toEqual([{ reply_to: 'asked', data: null }]);
    expect(frames.filter(({ msg_type }) => msg_type === 'error').map(({ content }) => (content as { reply_to: string | null }).reply_to)).toEqual(['nobody', null]);
    confirm(stuck, { up_to: seqOf(letters.at(-1) as WireFrame) });
    await stuck.expectNothingElse();
  });

  test('is closed with 4013 by what cannot be dropped, which first takes the place of what can', async () => {
    const hub = await open('drop_oldest');
    const [sender, stuck] = [await RawClient.announced(hub.url, 'sender'), await RawClient.announced(hub.url, 'stuck')];
    const connection = connectionOf(hub, 'stuck');
    stuck.socket.pause();
    await flood(sender, 'stuck', () => hub.service.droppedMessages === 0);
    let mostBytes = 0;
    // answers repeat the id of what was refused
    for (let n = 0; hub.registry.find('stuck') !== undefined; n++) {
      expect(n).toBeLessThan(5_000);
      for (let step = 0; step < 50; step++) stuck.send({ msg_id: `${n}_${step}_${'i'.repeat(1_000)}`, to_client_id: 'nobody' });
      await sender.expectNothingElse();
      mostBytes = Math.max(mostBytes, connection.bufferedBytes);
    }
    expect(mostBytes).toBeGreaterThan(HARD - 256 * KIB);
    expect(mostBytes).toBeLessThanOrEqual(HARD);
    stuck.socket.resume();
    expect((await stuck.closed()).code).toBe(4013);
    // beside what was in the socket when it became slow
    const refusals = stuck.unread.filter((text) => text.includes('CC_UNKNOWN_CLIENT'));
    expect(refusals.join('').length).toBeGreaterThan(HARD - SOFT - 2 * MESSAGE_BYTES);
  });

  test('gets its backlog before the close frame when it is replaced', async () => {
    const hub = await open('drop_oldest');
    const [sender, stuck] = [await RawClient.old(hub.url, 'sender'), await RawClient.old(hub.url, 'stuck')];
    const connection = connectionOf(hub, 'stuck');
    stuck.socket.pause();
    const count = await flood(sender, 'stuck', () => hub.service.droppedMessages === 0);
    await RawClient.old(hub.url, 'stuck');
    stuck.socket.resume();
    expect((await stuck.closed()).code).toBe(4009);
    expect(connection.bufferedBytes).toBe(0);
    expect(stuck.unread).toHaveLength(count - hub.service.droppedMessages);
    expect(numberOf(JSON.parse(stuck.unread.at(-1) as string) as WireFrame)).toBe(count - 1);
  });

  test('is not taken for silent while it sends heartbeats', async () => {
    const hub = await open('drop_oldest', { heartbeatTimeout: 0.4, heartbeatInterval: 0.1 });
    const [sender, stuck] = [await RawClient.old(hub.url, 'sender'), await RawClient.old(hub.url, 'stuck')];
    const beat = setInterval(() => [sender, stuck].forEach((client) => client.send({ msg_type: 'heartbeat', content: {} })), 50);
    onCleanUp(() => clearInterval(beat));
    stuck.socket.pause();
    await flood(sender, 'stuck', () => hub.service.droppedMessages === 0);
    await pause(1_000);
    expect(hub.service.getOnlineClients()).toEqual(['sender', 'stuck']);
  });
});

describe('With block_sender, a receiver that does not read', () => {
  /** Sends more than the system and the soft limit take, until the sender is not read any more. */
  async function blocked(hub: TestHub, sender: RawClient, to = 'stuck', body = BODY): Promise<number> {
    const connection = connectionOf(hub, sender.id);
    let count = 0;
    while (!connection.isReadingStopped) {
      expect(count).toBeLessThan(5_000);
      for (let step = 0; step < 8; step++) sender.send({ to_client_id: to, content: `${count++} ${body}` });
      // until it was read, or will not be
      await until(() => connection.isReadingStopped || sender.socket.bufferedAmount === 0, 'the messages left');
      await pause(2);
    }
    return count;
  }

  test.each([false, true])('holds up its sender, and then gets every message in order (compression: %s)', async (compression) => {
    const hub = await open('block_sender', { compression });
    const sender = await RawClient.announced(hub.url, 'sender');
    const stuck = await RawClient.connect(hub.url, { perMessageDeflate: compression });
    await stuck.login('stuck', { cross_comm: { protocol: 2, features: ['errors'] } });
    const connection = connectionOf(hub, 'stuck');
    stuck.socket.pause();
    const body = compression ? noise() : BODY;
    let count = await blocked(hub, sender, 'stuck', body);
    for (let more = 0; more < 300; more++) sender.send({ to_client_id: 'stuck', content: `${count++} ${body}` });
    sender.send({ to_client_id: 'stuck', content: 'end' });
    // what is compressed becomes less, and then there is room again for a moment
    await until(() => connectionOf(hub, 'sender').isReadingStopped && connection.bufferedBytes > SOFT / 2, 'the sender is held up');
    await pause(200);
    if (!compression) expect(connectionOf(hub, 'sender').isReadingStopped).toBe(true);
    if (!compression) expect(connection.bufferedBytes).toBeGreaterThan(SOFT - MESSAGE_BYTES);
    // what one read of the socket brought is handled yet
    expect(connection.bufferedBytes).toBeLessThanOrEqual(SOFT + 64 * KIB + 2 * MESSAGE_BYTES);
    stuck.socket.resume();
    const frames = await readUntil(stuck, ({ content }) => content === 'end');
    expect(frames.slice(0, -1).map(numberOf)).toEqual(range(0, count));
    await until(() => !connectionOf(hub, 'sender').isReadingStopped, 'the sender is read again');
    await sender.expectNothingElse();
    await stuck.expectNothingElse();
    expect(hub.service.droppedMessages).toBe(0);
  });

  test('holds up nobody else, and senders of durable messages neither', async () => {
    const hub = await open('block_sender');
    const [sender, other, reader] = [await RawClient.old(hub.url, 'sender'), await RawClient.old(hub.url, 'other'), await RawClient.old(hub.url, 'reader')];
    const [friend, stuck] = [await mailClient(hub.url, 'friend'), await mailClient(hub.url, 'stuck')];
    stuck.socket.pause();
    const count = await blocked(hub, sender);
    other.send({ to_client_id: 'reader', content: 'hello' });
    expect((await reader.next()).content).toBe('hello');
    friend.send({ msg_id: 'letter', to_client_id: 'stuck', content: 'letter' });
    await untilAcked(friend, 'stored', ['letter']);
    for (const id of ['other', 'reader', 'friend', 'stuck']) expect([id, connectionOf(hub, id).isReadingStopped]).toEqual([id, false]);
    stuck.socket.resume();
    const frames = await receive(stuck, count + 1);
    expect(frames.filter(({ ext }) => ext === undefined).map(numberOf)).toEqual(range(0, count));
  });

  test('holds up two hundred senders, and its hub keeps no more for it than from one', async () => {
    const hub = await open('block_sender');
    const stuck = await RawClient.old(hub.url, 'stuck');
    const connection = connectionOf(hub, 'stuck');
    stuck.socket.pause();
    const senders = await Promise.all(range(0, 200).map((n) => RawClient.old(hub.url, `sender${n}`)));
    let mostBytes = 0;
    const watch = setInterval(() => (mostBytes = Math.max(mostBytes, connection.bufferedBytes)), 1);
    onCleanUp(() => clearInterval(watch));
    const count = 30;
    // of several messages each what one read of a socket brings
    for (const n of range(0, count)) for (const sender of senders) sender.send({ to_client_id: 'stuck', content: `${n} ${BODY.slice(0, 4 * KIB)}` });
    // the first ones had sent everything before the system took no more
    const heldUp = (): number => senders.filter(({ id }) => connectionOf(hub, id).isReadingStopped).length;
    await until(() => heldUp() >= 100, 'most senders are held up', 20_000);
    await pause(300);
    expect(hub.service.getOnlineClients()).toHaveLength(201);
    expect(connection.bufferedBytes).toBeGreaterThan(SOFT);
    stuck.socket.resume();
    const last = new Map<string, number>();
    for (const { from_client_id, content } of await receive(stuck, count * senders.length)) {
      const n = Number.parseInt(content as string, 10);
      expect([from_client_id, n]).toEqual([from_client_id, (last.get(from_client_id) ?? -1) + 1]);
      last.set(from_client_id, n);
    }
    expect(mostBytes).toBeLessThanOrEqual(SOFT + MESSAGE_BYTES);
    await stuck.expectNothingElse();
    expect(hub.service.refusalCounts.slow_receiver).toBe(0);
  }, 60_000);

  test.each(['all', 'group:g'])('holds up senders to %s', async (to) => {
    const hub = await open('block_sender');
    const [sender, reader, stuck] = [await RawClient.old(hub.url, 'sender'), await RawClient.old(hub.url, 'reader'), await RawClient.old(hub.url, 'stuck')];
    for (const id of ['reader', 'stuck']) await hub.service.joinGroup('g', id);
    stuck.socket.pause();
    const count = await blocked(hub, sender, to);
    stuck.socket.resume();
    for (const client of [reader, stuck]) expect((await receive(client, count)).map(numberOf)).toEqual(range(0, count));
    await sender.expectNothingElse();
  });

  test('is closed with 4013 when it stays so, and its senders go on', async () => {
    const hub = await open('block_sender', { slowReceiverTimeoutMs: 400 });
    const events: ClientEvent[] = [];
    hub.service.clientEvents.subscribe((event) => events.push(event));
    const [sender, second, stuck] = [await RawClient.announced(hub.url, 'sender'), await RawClient.old(hub.url, 'second'), await RawClient.old(hub.url, 'stuck')];
    stuck.socket.pause();
    await blocked(hub, sender);
    second.send({ to_client_id: 'stuck', content: BODY });
    await until(() => connectionOf(hub, 'second').isReadingStopped, 'the second is held up');
    const startMs = performance.now();
    await until(() => hub.registry.find('stuck') === undefined, 'the end of its time');
    expect(performance.now() - startMs).toBeGreaterThan(200);
    expect(events.at(-1)).toMatchObject({ type: 'left', clientId: 'stuck', reason: 'slow_receiver' });
    for (const id of ['sender', 'second']) expect([id, connectionOf(hub, id).isReadingStopped]).toEqual([id, false]);
    await second.expectNothingElse();
    // whatever was on its way when the receiver was closed is refused
    sender.send({ msg_id: 'last', to_client_id: 'stuck', content: 'last' });
    const refusals = await readUntil(sender, ({ content }) => (content as { reply_to: string }).reply_to === 'last');
    for (const { content } of refusals) expect(content).toMatchObject({ code: 'CC_UNKNOWN_CLIENT', data: { to_client_id: 'stuck' } });
    stuck.socket.resume();
    expect(await stuck.closed()).toEqual({ code: 4013, reason: `more than ${SOFT} bytes unread for 400 ms` });
    expect(hub.service.refusalCounts.slow_receiver).toBe(1);
  });

  test('and its sender that does not read either are no deadlock', async () => {
    const hub = await open('block_sender', { slowReceiverTimeoutMs: 400 });
    const clients = [await RawClient.old(hub.url, 'one'), await RawClient.old(hub.url, 'two')] as const;
    const [one, two] = clients;
    for (const { socket } of clients) socket.pause();
    await blocked(hub, one, 'two');
    await blocked(hub, two, 'one');
    expect(clients.map(({ id }) => connectionOf(hub, id).isReadingStopped)).toEqual([true, true]);
    await until(() => hub.service.getOnlineClients().length < 2, 'one of them is given up');
    const closed = clients.filter(({ id }) => hub.registry.find(id) === undefined);
    await until(() => hub.service.getOnlineClients().every((id) => !connectionOf(hub, id).isReadingStopped), 'the other one is read');
    for (const { socket } of clients) socket.resume();
    for (const client of closed) expect((await client.closed()).code).toBe(4013);
  });

  test('does not make its sender seem silent', async () => {
    const hub = await open('block_sender', { heartbeatTimeout: 0.4, heartbeatInterval: 0.1 });
    const [sender, stuck] = [await RawClient.old(hub.url, 'sender'), await RawClient.old(hub.url, 'stuck')];
    const beat = setInterval(() => stuck.send({ msg_type: 'heartbeat', content: {} }), 50);
    onCleanUp(() => clearInterval(beat));
    stuck.socket.pause();
    const count = await blocked(hub, sender);
    await pause(1_200);
    expect(hub.service.getOnlineClients()).toEqual(['sender', 'stuck']);
    stuck.socket.resume();
    expect((await receive(stuck, count)).map(numberOf)).toEqual(range(0, count));
  });

  test.each<[string, (hub: TestHub, stuck: RawClient) => unknown]>([
    ['cuts its connection', (_hub, stuck) => stuck.socket.terminate()],
    ['is disconnected', (hub) => hub.service.disconnectClient('stuck')],
    ['is replaced', (hub) => RawClient.old(hub.url, 'stuck')],
  ])('frees its sender when it %s', async (_, leave) => {
    const hub = await open('block_sender');
    const [sender, stuck] = [await RawClient.old(hub.url, 'sender'), await RawClient.old(hub.url, 'stuck')];
    stuck.socket.pause();
    await blocked(hub, sender);
    await leave(hub, stuck);
    await until(() => !connectionOf(hub, 'sender').isReadingStopped, 'the sender is read again', 1_000);
    await sender.expectNothingElse();
  });

  test('frees its sender at once when its connection is cut off', async () => {
    const hub = await open('block_sender');
    const [sender, stuck] = [await RawClient.old(hub.url, 'sender'), await RawClient.old(hub.url, 'stuck')];
    stuck.socket.pause();
    await blocked(hub, sender);
    (connectionOf(hub, 'stuck') as WebSocketConnection).terminate();
    await untilConnections(hub, 1);
    expect(connectionOf(hub, 'sender').isReadingStopped).toBe(false);
    await sender.expectNothingElse();
  });

  test('is closed at the hard limit by what has no sender that could wait', async () => {
    const hub = await open('block_sender');
    const [sender, stuck] = [await RawClient.old(hub.url, 'sender'), await RawClient.old(hub.url, 'stuck')];
    const connection = connectionOf(hub, 'stuck');
    stuck.socket.pause();
    await blocked(hub, sender);
    let mostBytes = 0;
    while (hub.registry.find('stuck') !== undefined) {
      mostBytes = Math.max(mostBytes, connection.bufferedBytes);
      await hub.service.sendMessage(BODY, 'text', 'stuck').catch((error: unknown) => expect(error).toMatchObject({ code: 'CC_UNKNOWN_CLIENT' }));
    }
    expect(mostBytes).toBeGreaterThan(HARD - 2 * MESSAGE_BYTES);
    expect(mostBytes).toBeLessThanOrEqual(HARD);
    expect(connectionOf(hub, 'sender').isReadingStopped).toBe(false);
    stuck.socket.resume();
    expect((await stuck.closed()).code).toBe(4013);
  });
});
