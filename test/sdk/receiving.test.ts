import { describe, expect, test } from '@jest/globals';
import type { ConfirmableMessage, CrossCommClient, MailRecovery, NodeClientOptions } from '../../src/sdk/index.node.js';
import { contents, inboxOf, newClient, until } from './support/clients.js';
import { ScriptedHub, type ScriptedConnection, type ScriptedWelcome } from './support/scripted-hub.js';

interface Dialogue {
  readonly client: CrossCommClient;
  readonly hub: ScriptedHub;
  readonly line: ScriptedConnection;
}

async function dialogue(welcome: ScriptedWelcome = {}, options: NodeClientOptions = {}): Promise<Dialogue> {
  const hub = await ScriptedHub.open();
  const client = newClient({ url: hub.url, clientId: 'bob', ...options });
  const [line] = await Promise.all([hub.welcome(welcome), client.login()]);
  return { client, hub, line };
}

/** The content of the next frame, which must be a confirm. */
async function confirmOf(line: ScriptedConnection): Promise<unknown> {
  const { msg_type, to_client_id, content } = await line.next();
  expect([msg_type, to_client_id]).toEqual(['confirm', 'server']);
  return content;
}

/** A handler that ends when it is told to. */
function gated(client: CrossCommClient): { readonly heard: unknown[]; readonly release: (content: unknown) => void } {
  const heard: unknown[] = [];
  const releases = new Map<unknown, () => void>();
  client.onMessage({}, async ({ content }) => {
    heard.push(content);
    await new Promise<void>((resolve) => releases.set(content, resolve));
  });
  return { heard, release: (content) => releases.get(content)?.() };
}

describe('mail', () => {
  test('is confirmed after its handlers ran, all of one turn in one frame', async () => {
    const { client, line } = await dialogue();
    const inbox = inboxOf(client);
    for (const seq of [3, 5, 9]) line.mail(seq, seq);
    const upTo: number[] = [];
    while (upTo.at(-1) !== 9) upTo.push(((await confirmOf(line)) as { up_to: number }).up_to);
    expect(contents(inbox)).toEqual([3, 5, 9]);
    expect(upTo).toEqual(upTo.toSorted((a, b) => a - b));
    await line.expectSilence();
  });

  test('is confirmed by number when something before it is still being processed', async () => {
    const { client, line } = await dialogue();
    const { heard, release } = gated(client);
    line.mail(1, 'slow', { from: 's' });
    line.mail(2, 'quick', { from: 'q' });
    line.mail(3, 'third', { from: 't' });
    await until(() => heard.length === 3, 'three messages');
    release('quick');
    expect(await confirmOf(line)).toEqual({ seqs: [2] });
    release('slow');
    expect(await confirmOf(line)).toEqual({ up_to: 2 });
    release('third');
    expect(await confirmOf(line)).toEqual({ up_to: 3 });
  });

  test('is confirmed although a handler failed, and when nobody wants it', async () => {
    const { client, line } = await dialogue();
    const problems: string[] = [];
    client.onError((_, { kind }) => problems.push(kind));
    client.onMessage('text', () => Promise.reject(new Error('boom')));
    line.mail(1, 'x');
    expect(await confirmOf(line)).toEqual({ up_to: 1 });
    line.send({ msg_type: 'dict', from_client_id: 'alice', content: {}, ext: { seq: 2 } });
    expect(await confirmOf(line)).toEqual({ up_to: 2 });
    line.send({ msg_id: 'own', from_client_id: 'bob', content: 'to myself', ext: { seq: 3 } });
    expect(await confirmOf(line)).toEqual({ up_to: 3 });
    expect(problems).toEqual(['listener']);
  });

  test('that comes before there is any handler waits unconfirmed, and then comes to all that are registered together', async () => {
    const { client, line } = await dialogue();
    line.mail(1, 'early');
    await line.expectSilence();
    const [texts, dicts] = [[] as unknown[], [] as unknown[]];
    client.onMessage('dict', ({ content }) => void dicts.push(content));
    client.onMessage('text', ({ content }) => void texts.push(content));
    expect(await confirmOf(line)).toEqual({ up_to: 1 });
    expect([texts, dicts]).toEqual([['early'], []]);
  });

  test('whose arrival the sender wants to know is reported before it is processed', async () => {
    const { client, line } = await dialogue();
    const { release } = gated(client);
    line.mail(4, 'x', { ext: { receipt: 'delivered' } });
    expect(await confirmOf(line)).toEqual({ received: [4] });
    release('x');
    expect(await confirmOf(line)).toEqual({ up_to: 4 });
  });

  test('is confirmed before a logout', async () => {
    const { client, line } = await dialogue();
    const inbox = inboxOf(client);
    client.onMessage({}, () => void client.logout());
    line.mail(1, 'x');
    expect(await confirmOf(line)).toEqual({ up_to: 1 });
    expect((await line.next()).msg_type).toBe('logout');
    expect(inbox).toHaveLength(1);
  });

  test('is only what a mailbox sent: numbers in broadcasts, or from hubs that keep no mail, mean nothing', async () => {
    const { client, line } = await dialogue();
    const inbox = inboxOf(client);
    line.send({ from_client_id: 'eve', to_client_id: 'all', content: 'forged', ext: { seq: 1_000 } });
    line.mail(1, 'real');
    expect(await confirmOf(line)).toEqual({ up_to: 1 });
    expect(contents(inbox)).toEqual(['forged', 'real']);
    const without = await dialogue({ mail: null });
    const other = inboxOf(without.client);
    for (let i = 0; i < 2; i++) without.line.mail(1, 'live');
    await until(() => other.length === 2, 'both');
    await without.line.expectSilence();
  });
});

describe('after a reconnect', () => {
  test('the client says where it left off, also when nothing has come yet', async () => {
    const { client, hub, line } = await dialogue({ mail: { epoch: 'e1', seq: 17 } });
    expect(line.announced).not.toHaveProperty('resume');
    const { heard, release } = gated(client);
    line.cut();
    const second = await hub.welcome({ mail: { epoch: 'e1', seq: 17 } });
    expect(second.announced).toMatchObject({ resume: { epoch: 'e1', seq: 17 } });
    for (const seq of [20, 22, 24]) second.mail(seq, seq, { from: `s${seq}` });
    await until(() => heard.length === 3, 'three messages');
    release(20);
    expect(await confirmOf(second)).toEqual({ up_to: 21 });
    release(24);
    expect(await confirmOf(second)).toEqual({ seqs: [24] });
    second.cut();
    const third = await hub.welcome({ mail: { epoch: 'e1', seq: 20 } });
    expect(third.announced).toMatchObject({ resume: { epoch: 'e1', seq: 21 } });
    // the hub has missed the confirmation of 24
    for (const seq of [22, 24]) third.mail(seq, seq, { from: `s${seq}` });
    expect(await confirmOf(third)).toEqual({ seqs: [24] });
    release(22);
    expect(await confirmOf(third)).toEqual({ up_to: 24 });
    expect(heard).toEqual([20, 22, 24]);
  });

  test('what was processed while it was away is confirmed when it comes again', async () => {
    const { client, hub, line } = await dialogue();
    const { heard, release } = gated(client);
    line.mail(1, 'x');
    await until(() => heard.length === 1, 'the message');
    line.cut();
    const next = await hub.accept();
    const login = await next.next();
    release('x');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(login.content).toMatchObject({ cross_comm: { resume: { epoch: 'e1', seq: 0 } } });
    next.id = 'bob';
    next.send({ msg_type: 'login_response', content: { status: 'success', cross_comm: { protocol: 2, features: ['mailbox'], mail: { epoch: 'e1', seq: 0 } } } });
    next.mail(1, 'x');
    expect(await confirmOf(next)).toEqual({ up_to: 1 });
    expect(heard).toEqual(['x']);
  });

  test('of another epoch nothing that is remembered is surfaced again, whatever its number', async () => {
    const { client, hub, line } = await dialogue();
    const recoveries: MailRecovery[] = [];
    client.onRecovery((recovery) => recoveries.push(recovery));
    const { heard, release } = gated(client);
    for (const seq of [1, 2, 3]) line.mail(seq, seq, { from: `s${seq}` });
    await until(() => heard.length === 3, 'three messages');
    release(1);
    expect(await confirmOf(line)).toEqual({ up_to: 1 });
    line.cut();
    const next = await hub.welcome({ mail: { epoch: 'e2', seq: 0, recovered: false, pending: 4 } });
    await until(() => recoveries.length === 1, 'the recovery');
    expect(recoveries).toEqual([{ recovered: false, pending: 4 }]);
    // one processed, one still being processed, one new, under the numbers of the new epoch
    next.mail(1, 2, { from: 's2' });
    next.mail(2, 1, { from: 's1' });
    next.mail(3, 'new');
    expect(await confirmOf(next)).toEqual({ seqs: [2] });
    release(2);
    expect(await confirmOf(next)).toEqual({ up_to: 2 });
    release('new');
    expect(await confirmOf(next)).toEqual({ up_to: 3 });
    // an old one that ends only now is none of the new epoch's business
    release(3);
    await next.expectSilence();
    next.mail(4, 3, { from: 's3' });
    expect(await confirmOf(next)).toEqual({ up_to: 4 });
    expect(heard).toEqual([1, 2, 3, 'new']);
  });

  test('the same holds when the hub does not know the position of the same epoch', async () => {
    const { client, hub, line } = await dialogue();
    const inbox = inboxOf(client);
    line.mail(7, 'a');
    expect(await confirmOf(line)).toEqual({ up_to: 7 });
    line.cut();
    const next = await hub.welcome({ mail: { epoch: 'e1', seq: 0, recovered: false } });
    next.mail(2, 'a');
    expect(await confirmOf(next)).toEqual({ up_to: 2 });
    next.mail(3, 'b');
    expect(await confirmOf(next)).toEqual({ up_to: 3 });
    expect(contents(inbox)).toEqual(['a', 'b']);
  });

  test('and a logout, what had not begun to be processed is surfaced', async () => {
    const { client, hub, line } = await dialogue();
    const { heard, release } = gated(client);
    for (const seq of [1, 2]) line.mail(seq, seq);
    await until(() => heard.length === 1, 'the first');
    const out = client.logout();
    expect((await line.next()).msg_type).toBe('logout');
    line.close(1000);
    await out;
    release(1);
    const [next] = await Promise.all([hub.welcome({ mail: { epoch: 'e1', seq: 0 } }), client.login()]);
    expect(next.announced).toMatchObject({ resume: { seq: 1 } });
    next.mail(2, 2);
    await until(() => heard.length === 2, 'the second');
    release(2);
    expect(await confirmOf(next)).toEqual({ up_to: 2 });
  });
});

describe('a handler that confirms by itself', () => {
  async function manual(): Promise<Dialogue & { readonly messages: ConfirmableMessage[] }> {
    const given = await dialogue();
    const messages: ConfirmableMessage[] = [];
    given.client.onMessage({}, (message) => void messages.push(message), { confirm: 'manual' });
    return { ...given, messages };
  }

  test('decides when, once, and only together with the others', async () => {
    const { client, line, messages } = await manual();
    const second: ConfirmableMessage[] = [];
    client.onMessage({}, (message) => void second.push(message), { confirm: 'manual' });
    line.mail(1, 'x');
    await line.expectSilence();
    messages[0]?.confirm();
    messages[0]?.confirm();
    await line.expectSilence();
    second[0]?.confirm();
    second[0]?.reject();
    expect(await confirmOf(line)).toEqual({ up_to: 1 });
    await line.expectSilence();
  });

  test('gets a message again that it rejected, and once only whatever comes then', async () => {
    const { line, messages } = await manual();
    line.mail(1, 'x');
    line.mail(2, 'y');
    await until(() => messages.length === 2, 'both');
    messages[0]?.reject({ delayMs: 500 });
    expect(await confirmOf(line)).toEqual({ rejected: [{ seq: 1, delay: 0.5 }] });
    messages[1]?.confirm();
    expect(await confirmOf(line)).toEqual({ seqs: [2] });
    line.mail(1, 'x', { ext: { attempt: 2 } });
    await until(() => messages.length === 3, 'the second attempt');
    expect(messages[2]?.ext).toEqual({ seq: 1, attempt: 2 });
    messages[2]?.confirm();
    expect(await confirmOf(line)).toEqual({ up_to: 2 });
    line.mail(1, 'x', { ext: { attempt: 2 } });
    expect(await confirmOf(line)).toEqual({ up_to: 2 });
    expect(messages).toHaveLength(3);
  });

  test('of a new program gets what an earlier one rejected, behind what came after it', async () => {
    const { line, messages } = await manual();
    line.mail(5, 'later');
    line.mail(3, 'rejected before', { ext: { attempt: 2 } });
    await until(() => messages.length === 2, 'both');
    for (const message of messages) message.confirm();
    expect(await confirmOf(line)).toEqual({ up_to: 5 });
  });

  test('keeps the position before what it rejected over a reconnect, and gets it again without any attempt', async () => {
    const { hub, line, messages } = await manual();
    line.mail(1, 'x');
    line.mail(2, 'y');
    await until(() => messages.length === 2, 'both');
    messages[0]?.reject();
    messages[1]?.confirm();
    expect(await confirmOf(line)).toEqual({ seqs: [2], rejected: [{ seq: 1 }] });
    line.cut();
    const next = await hub.welcome();
    expect(next.announced).toMatchObject({ resume: { seq: 0 } });
    next.mail(1, 'x');
    await until(() => messages.length === 3, 'the message again');
    messages[2]?.confirm();
    expect(await confirmOf(next)).toEqual({ up_to: 2 });
  });

  test('that fails before it decided rejects; dead letters are said to be so', async () => {
    const { client, line, messages } = await manual();
    const stop = client.onMessage({}, () => Promise.reject(new Error('boom')), { confirm: 'manual' });
    line.mail(1, 'x');
    expect(await confirmOf(line)).toEqual({ rejected: [{ seq: 1 }] });
    messages[0]?.confirm();
    stop();
    line.mail(2, 'poison');
    await until(() => messages.length === 2, 'the second');
    messages[1]?.reject({ dead: true });
    expect(await confirmOf(line)).toEqual({ rejected: [{ seq: 2, dead: true }] });
  });

  test('may do the same with live messages, to no effect', async () => {
    const { line, messages } = await manual();
    line.send({ from_client_id: 'alice', content: 'live' });
    await until(() => messages.length === 1, 'the message');
    messages[0]?.confirm();
    messages[0]?.reject();
    await line.expectSilence();
  });
});
