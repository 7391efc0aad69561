import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  BadRequestException,
  Catch,
  Controller,
  Injectable,
  Module,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConnectedSocket, MessageBody, WsException } from '@nestjs/websockets';
import { EMPTY, map, of, throwError, type Observable } from 'rxjs';
import { ConnectedClient, CrossCommError, CrossCommGateway, CrossCommModule, CrossCommService, RequestHandler, type RequestContext } from '../../src/index.js';
import { startTestHub, type TestHub } from '../../src/testing/index.js';
import { ask, answerTo } from '../delivery/peers.js';
import { RawClient } from '../support/raw-client.js';
import { until } from '../support/open-hub.js';

const trace: string[] = [];
afterEach(() => {
  trace.length = 0;
});

@Injectable()
class Prefix {
  readonly text = 'made by Nest';
}

@Injectable()
class NoEve implements CanActivate {
  constructor(private readonly prefix: Prefix) {}

  canActivate(context: ExecutionContext): boolean {
    const ws = context.switchToWs();
    const { clientId } = ws.getClient<ConnectedClient>();
    trace.push(`${this.prefix.text} ${context.getType()} ${clientId} ${JSON.stringify(ws.getData())} ${ws.getPattern()}`);
    return clientId !== 'eve';
  }
}

@Injectable()
class Wrap implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value) => ({ wrapped: value })));
  }
}

class ToNumber implements PipeTransform {
  transform(value: unknown): number {
    if (typeof value !== 'number') throw new BadRequestException('not a number');
    return value * 10;
  }
}

@Catch()
class Soothe implements ExceptionFilter {
  catch(error: Error): unknown {
    return { soothed: error.message };
  }
}

@Injectable()
class Handlers {
  constructor(private readonly prefix: Prefix) {}

  @RequestHandler('value')
  value(data: { a: number; b: number }): number {
    return data.a + data.b;
  }

  @RequestHandler('context')
  context(data: unknown, context: RequestContext): unknown {
    return { data, fromClientId: context.fromClientId, action: context.action, isAborted: context.signal.aborted, self: this.prefix.text };
  }

  @RequestHandler('nothing')
  nothing(): void {}

  @RequestHandler('promise')
  async promise(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return 'later';
  }

  @RequestHandler('observable')
  observable(): Observable<number> {
    return of(1, 2, 3);
  }

  @RequestHandler('observable of nothing')
  empty(): Observable<never> {
    return EMPTY;
  }

  @RequestHandler('one')
  @RequestHandler('two')
  stacked(_data: unknown, { action }: RequestContext): string {
    return action;
  }

  @RequestHandler('decorated')
  decorated(@ConnectedSocket() client: ConnectedClient, @MessageBody('name') name: string): unknown {
    return { isClient: client instanceof ConnectedClient, name };
  }

  @RequestHandler('guarded')
  @UseGuards(NoEve)
  guarded(): string {
    return 'in';
  }

  @RequestHandler('intercepted')
  @UseInterceptors(Wrap)
  intercepted(): number {
    return 1;
  }

  @RequestHandler('piped')
  @UsePipes(ToNumber)
  piped(@MessageBody() value: number): number {
    return value;
  }

  @RequestHandler('filtered')
  @UseFilters(Soothe)
  filtered(): never {
    throw new Error('ouch');
  }

  @RequestHandler('coded')
  coded(): never {
    throw new CrossCommError('CC_LIMIT_REACHED', { detail: 'Enough.', data: { limit: 3 } });
  }

  @RequestHandler('told')
  told(): never {
    throw new WsException('told to the client');
  }

  @RequestHandler('secret')
  secret(): never {
    throw new Error('password=hunter2');
  }

  @RequestHandler('failing observable')
  failing(): Observable<never> {
    return throwError(() => new Error('password=hunter2'));
  }

  @RequestHandler('too large')
  tooLarge(): string {
    return 'x'.repeat(2_000_000);
  }

  @RequestHandler('unspeakable')
  unspeakable(): unknown {
    return { value: 1n };
  }

  @RequestHandler('endless')
  endless(_data: unknown, { signal }: RequestContext): Promise<never> {
    trace.push('begun');
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        trace.push(`aborted ${(signal.reason as CrossCommError).code}`);
        reject(signal.reason as Error);
      });
    });
  }
}

@Controller()
class HandlersController {
  @RequestHandler('on a controller')
  answer(): string {
    return 'controller';
  }
}

function errorOf(code: string, message: string): unknown {
  return { msg_type: 'error', from_client_id: 'server', content: { reply_to: 'ask', code, message } };
}

describe('@RequestHandler', () => {
  let hub: TestHub;
  let alice: RawClient;

  beforeAll(async () => {
    hub = await startTestHub({ storage: { driver: 'none' }, providers: [Prefix, Handlers], delivery: { maxRequestMs: 500, maxPendingRequests: 3 } });
  });

  afterAll(() => hub.close());

  const login = async (id = 'alice'): Promise<void> => {
    alice = await RawClient.announced(hub.url, id);
  };

  test.each<[string, unknown, unknown]>([
    ['value', { a: 1, b: 2 }, 3],
    ['nothing', {}, null],
    ['promise', {}, 'later'],
    ['observable', {}, 3],
    ['one', {}, 'one'],
    ['two', {}, 'two'],
    ['intercepted', {}, { wrapped: 1 }],
    ['piped', 7, 70],
    ['filtered', {}, { soothed: 'ouch' }],
    ['decorated', { name: 'x' }, { isClient: true, name: 'x' }],
    ['decorated', null, { isClient: true }],
    ['context', [1], { data: [1], fromClientId: 'alice', action: 'context', isAborted: false, self: 'made by Nest' }],
  ])('%s: %j is answered with %j', async (action, data, answer) => {
    await login();
    expect(await answerTo(alice, action, data)).toEqual(answer);
  });

  test('runs behind guards, which see client, data and action, and refuse with CC_NOT_ALLOWED', async () => {
    await login();
    expect(await answerTo(alice, 'guarded', { a: 1 })).toBe('in');
    expect(trace).toEqual(['made by Nest ws alice {"a":1} guarded']);
    await login('eve');
    expect(await ask(alice, 'guarded')).toMatchObject(
      errorOf('CC_NOT_ALLOWED', 'CC_NOT_ALLOWED: Forbidden resource. This client may not do that. Ask the operator of the hub for the right.') as object,
    );
  });

  test.each([
    ['piped', 'CC_INVALID_CONTENT', 'CC_INVALID_CONTENT: not a number. The content'],
    ['coded', 'CC_LIMIT_REACHED', 'CC_LIMIT_REACHED: Enough. A limit'],
    ['told', 'CC_HANDLER_FAILED', 'CC_HANDLER_FAILED: told to the client. The handler'],
    ['secret', 'CC_HANDLER_FAILED', 'CC_HANDLER_FAILED: The handler of the request failed.'],
    ['failing observable', 'CC_HANDLER_FAILED', 'CC_HANDLER_FAILED: The handler of the request failed.'],
    ['observable of nothing', 'CC_HANDLER_FAILED', 'CC_HANDLER_FAILED: The handler of the request failed.'],
    ['unspeakable', 'CC_HANDLER_FAILED', 'CC_HANDLER_FAILED: The handler of the request failed.'],
    ['too large', 'CC_RECEIVER_LIMIT', 'CC_RECEIVER_LIMIT: The answer is too large.'],
  ])('%s is answered with %s and no more than is meant for clients', async (action, code, beginning) => {
    await login();
    const { content } = await ask(alice, action, 'not a number');
    expect(content).toMatchObject({ reply_to: 'ask', code, message: expect.stringMatching(new RegExp(`^${beginning}`)) });
    expect(JSON.stringify(content)).not.toContain('hunter2');
    await alice.expectNothingElse();
  });

  test('is told when its request times out, is cancelled or its client leaves, and what it answers then is dropped', async () => {
    await login();
    expect(await ask(alice, 'endless')).toMatchObject({ msg_type: 'error', content: { reply_to: 'ask', code: 'CC_TIMEOUT' } });
    await until(() => trace.length === 2, 'the handler is told');
    alice.send({ msg_type: 'request', msg_id: 'r2', content: { action: 'endless' } });
    await until(() => trace.length === 3, 'the second has begun');
    alice.send({ msg_type: 'cancel', content: { reply_to: 'r2' } });
    await alice.expectNothingElse();
    expect(trace).toHaveLength(4);
    alice.send({ msg_type: 'request', msg_id: 'r3', content: { action: 'endless' } });
    await until(() => trace.length === 5, 'the third has begun');
    alice.socket.terminate();
    await until(() => trace.length === 6, 'the third is told');
    expect(trace).toEqual(Array.from({ length: 3 }, () => ['begun', 'aborted CC_ABORTED']).flat());
  });

  test('has a bounded number of requests of one client, and none twice at a time', async () => {
    await login();
    for (const msg_id of ['r1', 'r1', 'r2', 'r3', 'r4']) alice.send({ msg_type: 'request', msg_id, content: { action: 'endless' } });
    expect(await alice.next()).toMatchObject({ content: { reply_to: 'r1', code: 'CC_INVALID_CONTENT' } });
    expect(await alice.next()).toMatchObject({ content: { reply_to: 'r4', code: 'CC_LIMIT_REACHED' } });
    for (const reply_to of ['r1', 'r2', 'r3']) expect(await alice.next()).toMatchObject({ content: { reply_to, code: 'CC_TIMEOUT' } });
  });

  test('is found on controllers', async () => {
    @Module({
      imports: [CrossCommModule.forRoot({ port: 0, host: '127.0.0.1', persistPresence: false, storage: { driver: 'none' } })],
      controllers: [HandlersController],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    const client = await RawClient.announced(`ws://127.0.0.1:${app.get(CrossCommGateway).address?.port}`, 'carol');
    expect(await answerTo(client, 'on a controller')).toBe('controller');
    expect(app.get(CrossCommService).getOnlineClients()).toEqual(['carol']);
    client.socket.terminate();
    await app.close();
  });
});

describe('A @RequestHandler that could not answer keeps the application from starting', () => {
  @Injectable({ scope: Scope.TRANSIENT })
  class Transient {
    @RequestHandler('x')
    answer(): void {}
  }

  @Injectable()
  class First {
    @RequestHandler('same')
    answer(): void {}
  }

  @Injectable()
  class Second {
    @RequestHandler('same')
    reply(): void {}
  }

  @Injectable()
  class Ping {
    @RequestHandler('ping')
    answer(): void {}
  }

  @Injectable()
  class Join {
    @RequestHandler('groups.join')
    answer(): void {}
  }

  test.each([
    ['in a transient provider', [Transient], 'Transient.answer'],
    ['of an action that another handles', [First, Second], 'First.answer and Second.reply both handle the action "same"'],
    ['of an action of the hub', [Ping], 'Ping.answer handles the action "ping", which the hub answers itself'],
    ['of an action of the groups', [Join], 'Join.answer handles the action "groups.join", which the hub answers itself'],
  ])('%s', async (_, providers, text) => {
    await expect(startTestHub({ storage: { driver: 'none' }, providers })).rejects.toMatchObject({ code: 'CC_INVALID_LISTENER', message: expect.stringContaining(text) });
  });
});
