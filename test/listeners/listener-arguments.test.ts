import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createParamDecorator, Injectable, ParseIntPipe, type ExecutionContext, type PipeTransform } from '@nestjs/common';
import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import { CommMsgType, ConnectedClient, MessageListener, type Message } from '../../src/index.js';
import { startTestHub, type TestHub } from '../../src/testing/index.js';
import { RawClient } from '../module/raw-client.js';
import { waitUntil } from '../module/wait-until.js';

const seen = new Map<string, unknown[]>();

class ShoutPipe implements PipeTransform {
  transform(message: Message<string>): string {
    return message.content.toUpperCase();
  }
}

const Sender = createParamDecorator((_data: unknown, context: ExecutionContext) => context.switchToWs().getData<Message>().fromClientId);

@Injectable()
class Arguments {
  @MessageListener(CommMsgType.TEXT)
  bare(...args: unknown[]): void {
    seen.set('bare', args);
  }

  @MessageListener(CommMsgType.TEXT)
  none(): void {
    seen.set('none', []);
  }

  @MessageListener(CommMsgType.TEXT)
  content(@MessageBody('content') content: string): void {
    seen.set('content', [content]);
  }

  @MessageListener(CommMsgType.TEXT)
  shout(@MessageBody(new ShoutPipe()) text: string): void {
    seen.set('shout', [text]);
  }

  @MessageListener(CommMsgType.TEXT)
  swapped(@ConnectedSocket() client: ConnectedClient, @Sender() sender: string, @MessageBody() message: Message): void {
    seen.set('swapped', [client, sender, message]);
  }

  @MessageListener(CommMsgType.JSON)
  parsed(@MessageBody('content', ParseIntPipe) number: number): void {
    seen.set('parsed', [number]);
  }

  @MessageListener(CommMsgType.BYTES)
  bytes(message: Message): void {
    seen.set('bytes', [message.content]);
  }

  @MessageListener(CommMsgType.BYTES)
  bytesToo(@MessageBody('content') content: unknown): void {
    seen.set('bytesToo', [content]);
  }

  @MessageListener(CommMsgType.DICT)
  vandal(message: Message<{ list: number[] }>): void {
    message.content.list.push(99);
    Object.assign(message, { fromClientId: 'mallory' });
    seen.set('vandal', [message]);
  }

  @MessageListener(CommMsgType.DICT)
  afterVandal(message: Message): void {
    seen.set('afterVandal', [message]);
  }

  @MessageListener(CommMsgType.FILE)
  file(message: Message): void {
    seen.set('file', [message]);
  }

  @MessageListener({ msgType: CommMsgType.FILE, downloadDirectory: '/nowhere' })
  failedDownload(message: Message): void {
    seen.set('failedDownload', [message]);
  }
}

describe('The arguments of a listener', () => {
  let hub: TestHub;
  let alice: RawClient;
  let bob: RawClient;

  beforeAll(async () => {
    hub = await startTestHub({ storage: { driver: 'none' }, providers: [Arguments] });
    alice = await RawClient.login(hub.url, 'alice');
    bob = await RawClient.login(hub.url, 'bob');
  });

  afterAll(async () => {
    await Promise.all([alice.close(), bob.close()]);
    await hub.close();
  });

  test('are the message and then the client, without parameter decorators', async () => {
    const msgId = alice.send({ toClientId: 'bob', content: 'hi', timestamp: 1234.5 });
    await waitUntil(() => seen.has('bare') && seen.has('none'));
    const [message, client, ...more] = seen.get('bare') ?? [];
    expect(message).toEqual({ msgId, fromClientId: 'alice', toClientId: 'bob', msgType: 'text', content: 'hi', timestamp: 1234.5, ossKey: null });
    expect(client).toBe(hub.registry.find('alice'));
    expect(client).toBeInstanceOf(ConnectedClient);
    expect(more).toEqual([]);
  });

  test('are what the parameter decorators name, in any order', async () => {
    alice.send({ content: 'quiet' });
    await waitUntil(() => seen.has('swapped') && (seen.get('content') ?? [])[0] === 'quiet');
    expect(seen.get('shout')).toEqual(['QUIET']);
    const [client, sender, message] = seen.get('swapped') ?? [];
    expect(client).toBe(hub.registry.find('alice'));
    expect(sender).toBe('alice');
    expect(message).toMatchObject({ content: 'quiet', fromClientId: 'alice' });
  });

  test('go through a pipe class on @MessageBody', async () => {
    alice.send({ msgType: 'json', content: '42' });
    await waitUntil(() => seen.has('parsed'));
    expect(seen.get('parsed')).toEqual([42]);
  });

  test('hold bytes as a Uint8Array, each listener with a copy of its own', async () => {
    alice.send({ msgType: 'bytes', content: Buffer.from([0, 1, 254, 255]).toString('base64') });
    await waitUntil(() => seen.has('bytes') && seen.has('bytesToo'));
    const [[first], [second]] = [seen.get('bytes') as [Uint8Array], seen.get('bytesToo') as [Uint8Array]];
    expect(first).toBeInstanceOf(Uint8Array);
    expect([...first]).toEqual([0, 1, 254, 255]);
    expect(second).toEqual(first);
    expect(second.buffer).not.toBe(first.buffer);
  });

  test('hold bytes that are no base64 as the text they are', async () => {
    alice.send({ msgType: 'bytes', content: 'ab' });
    await waitUntil(() => (seen.get('bytes') ?? [])[0] === 'ab');
    expect(seen.get('bytes')).toEqual(['ab']);
  });

  test('show nothing of what another listener did to its message, and neither does the receiver', async () => {
    alice.send({ msgType: 'dict', toClientId: 'bob', content: { list: [1] } });
    await waitUntil(() => seen.has('afterVandal'));
    expect(seen.get('vandal')).toEqual([expect.objectContaining({ fromClientId: 'mallory', content: { list: [1, 99] } })]);
    expect(seen.get('afterVandal')).toEqual([expect.objectContaining({ fromClientId: 'alice', content: { list: [1] } })]);
    expect((await bob.next(({ msgType }) => msgType === 'dict')).content).toEqual({ list: [1] });
  });

  test('tell the key of an attachment, and the error when its download failed', async () => {
    alice.send({ msgType: 'file', content: 'report.pdf', ossKey: 'cross_comm/alice/1_00000000.pdf' });
    await waitUntil(() => seen.has('failedDownload'));
    expect(seen.get('file')).toEqual([expect.objectContaining({ content: 'report.pdf', ossKey: 'cross_comm/alice/1_00000000.pdf' })]);
    expect((seen.get('file') as [Message])[0]).not.toHaveProperty('downloadError');
    const [message] = seen.get('failedDownload') as [Message];
    expect(message.content).toBe('report.pdf');
    expect(message.localPath).toBeUndefined();
    expect(message.downloadError).toMatchObject({ code: 'CC_UNSUPPORTED' });
  });
});
