import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Controller, Injectable, Module, type INestApplicationContext, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommMsgType, CrossCommGateway, CrossCommModule, CrossCommService, MessageListener, type Message } from '../../src/index.js';
import { startTestHub, type TestHub } from '../../src/testing/index.js';
import { RawClient } from '../module/raw-client.js';
import { waitUntil } from '../module/wait-until.js';

/** `method content`, in the order of the calls. */
const calls: string[] = [];
const noted = (method: string) => calls.filter((call) => call.startsWith(`${method} `)).map((call) => call.slice(method.length + 1));

class BaseListener {
  @MessageListener()
  inherited(message: Message<string>): void {
    calls.push(`${this.constructor.name}.inherited ${message.content}`);
  }

  @MessageListener()
  overridden(message: Message<string>): void {
    calls.push(`Base.overridden ${message.content}`);
  }

  @MessageListener()
  redecorated(message: Message<string>): void {
    calls.push(`Base.redecorated ${message.content}`);
  }
}

@Injectable()
class Forms extends BaseListener {
  @MessageListener()
  everything(message: Message): void {
    calls.push(`everything ${message.msgType}:${JSON.stringify(message.content)}`);
  }

  @MessageListener(CommMsgType.TEXT)
  oneType(message: Message): void {
    calls.push(`oneType ${message.msgType}`);
  }

  @MessageListener([CommMsgType.JSON, CommMsgType.DICT])
  twoTypes(message: Message): void {
    calls.push(`twoTypes ${message.msgType}`);
  }

  @MessageListener({ msgType: CommMsgType.TEXT, fromClientId: 'alice' })
  textOfAlice(message: Message<string>): void {
    calls.push(`textOfAlice ${message.content}`);
  }

  @MessageListener({ msgType: [CommMsgType.TEXT, CommMsgType.DICT] })
  typesInOptions(message: Message): void {
    calls.push(`typesInOptions ${message.msgType}`);
  }

  @MessageListener({ fromClientId: 'bob' })
  allOfBob(message: Message): void {
    calls.push(`allOfBob ${message.msgType}`);
  }

  @MessageListener(CommMsgType.DICT)
  @MessageListener({ fromClientId: 'bob' })
  @MessageListener(CommMsgType.TEXT)
  stacked(message: Message): void {
    calls.push(`stacked ${message.fromClientId}:${message.msgType}`);
  }

  override overridden(message: Message<string>): void {
    calls.push(`Forms.overridden ${message.content}`);
  }

  @MessageListener(CommMsgType.JSON)
  override redecorated(message: Message): void {
    calls.push(`Forms.redecorated ${message.msgType}`);
  }

  notListening(): void {
    calls.push('notListening called');
  }
}

const FORMS_BY_FACTORY: Provider = { provide: 'FORMS', inject: [Forms], useFactory: (forms: Forms) => forms };

@Injectable()
class Sibling extends BaseListener {}

@Controller('forms')
class FormsController {
  @MessageListener(CommMsgType.TEXT)
  onController(message: Message<string>): void {
    calls.push(`onController ${message.content}`);
  }
}

describe('@MessageListener', () => {
  let hub: TestHub;
  let alice: RawClient;
  let bob: RawClient;

  beforeAll(async () => {
    hub = await startTestHub({ storage: { driver: 'none' }, providers: [FORMS_BY_FACTORY, Forms, Sibling, { provide: 'SAME', useExisting: Forms }] });
    alice = await RawClient.login(hub.url, 'alice');
    bob = await RawClient.login(hub.url, 'bob');
  });

  afterEach(() => {
    calls.length = 0;
    bob.received.length = 0;
  });

  afterAll(async () => {
    await Promise.all([alice.close(), bob.close()]);
    await hub.close();
  });

  async function say(client: RawClient, ...messages: Parameters<RawClient['send']>[0][]): Promise<void> {
    const before = noted('everything').length;
    for (const message of messages) client.send(message);
    await waitUntil(() => noted('everything').length === before + messages.length);
    await client.settled();
  }

  test('without arguments takes every message, once, although an alias and a factory name the same provider', async () => {
    await say(alice, { content: 'hi' }, { msgType: 'json', content: '[1]' }, { msgType: 'dict', content: { a: 1 } });
    expect(noted('everything')).toEqual(['text:"hi"', 'json:"[1]"', 'dict:{"a":1}']);
  });

  test('takes one type', async () => {
    await say(alice, { msgType: 'dict', content: {} }, { content: 'hi' });
    expect(noted('oneType')).toEqual(['text']);
  });

  test('takes a list of types, bare and in options', async () => {
    await say(alice, { msgType: 'dict', content: {} }, { content: 'hi' }, { msgType: 'json', content: '{}' });
    expect(noted('twoTypes')).toEqual(['dict', 'json']);
    expect(noted('typesInOptions')).toEqual(['dict', 'text']);
  });

  test('filters by type and sender together, and by sender alone', async () => {
    await say(alice, { content: 'from alice' }, { msgType: 'dict', content: {} });
    await say(bob, { content: 'from bob' }, { msgType: 'dict', content: {} });
    expect(noted('textOfAlice')).toEqual(['from alice']);
    expect(noted('allOfBob')).toEqual(['text', 'dict']);
  });

  test('stacked runs once for a message that passes at least one filter', async () => {
    await say(alice, { content: 'hi' }, { msgType: 'json', content: '1' }, { msgType: 'dict', content: {} });
    await say(bob, { content: 'passes two filters' }, { msgType: 'json', content: '1' });
    expect(noted('stacked')).toEqual(['alice:text', 'alice:dict', 'bob:text', 'bob:json']);
  });

  test('is inherited, each instance being a listener of its own', async () => {
    await say(alice, { content: 'hi' });
    expect(noted('Forms.inherited')).toEqual(['hi']);
    expect(noted('Sibling.inherited')).toEqual(['hi']);
  });

  test('is lost by a method that overrides without it, and replaced by one that has its own', async () => {
    await say(alice, { content: 'hi' }, { msgType: 'json', content: '1' });
    expect(noted('Forms.overridden')).toEqual([]);
    expect(noted('Base.overridden')).toEqual(['hi', '1']);
    expect(noted('Forms.redecorated')).toEqual(['json']);
    expect(noted('Base.redecorated')).toEqual(['hi', '1']);
  });

  test('sees direct messages, broadcasts, messages to the server and to nobody online', async () => {
    await say(alice, { toClientId: 'bob', content: 'direct' }, { content: 'broadcast' }, { toClientId: 'server', content: 'server' }, { toClientId: 'ghost', content: 'nobody' });
    expect(noted('textOfAlice')).toEqual(['direct', 'broadcast', 'server', 'nobody']);
    await bob.settled();
    expect(bob.received.map(({ content }) => content)).toEqual(['direct', 'broadcast']);
  });

  test('never sees what the hub itself sends, nor logins, heartbeats and lists', async () => {
    await hub.service.sendMessage('from the hub', 'text');
    alice.send({ msgType: 'heartbeat', toClientId: 'server' });
    const carol = await RawClient.login(hub.url, 'carol');
    await carol.settled();
    await carol.close();
    await say(alice, { content: 'last' });
    expect(noted('everything')).toEqual(['text:"last"']);
  });

  test('does not see frames that the hub refuses', async () => {
    alice.send({ fromClientId: 'bob', content: 'forged' });
    await say(alice, { content: 'last' });
    expect(noted('everything')).toEqual(['text:"last"']);
  });
});

describe('@MessageListener on a controller', () => {
  @Module({
    imports: [CrossCommModule.forRoot({ port: 0, host: '127.0.0.1', persistPresence: false, storage: { driver: 'none' } })],
    controllers: [FormsController],
  })
  class AppModule {}

  let app: INestApplicationContext;

  afterAll(async () => {
    await app.close();
  });

  test('takes messages', async () => {
    app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    expect(app.get(CrossCommService).getOnlineClients()).toEqual([]);
    const client = await RawClient.login(`ws://127.0.0.1:${app.get(CrossCommGateway).address?.port}`, 'carol');
    client.send({ content: 'to the controller' });
    await waitUntil(() => noted('onController').length > 0);
    expect(noted('onController')).toEqual(['to the controller']);
    await client.close();
  });
});
