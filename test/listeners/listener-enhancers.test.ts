import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  Catch,
  Controller,
  Injectable,
  Module,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplicationContext,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory } from '@nestjs/core';
import { tap, type Observable } from 'rxjs';
import { CommMsgType, CrossCommGateway, CrossCommModule, MessageListener, type Message } from '../../src/index.js';
import { RawClient } from '../module/raw-client.js';
import { RecordingLogger } from '../module/recording.logger.js';
import { waitUntil } from '../module/wait-until.js';

const trace: string[] = [];

@Injectable()
class Rules {
  allows(text: string): boolean {
    return !text.includes('forbidden');
  }
}

/** Has a dependency, so it shows that Nest made it. */
@Injectable()
class RulesGuard implements CanActivate {
  constructor(private readonly rules: Rules) {}

  canActivate(context: ExecutionContext): boolean {
    const message = context.switchToWs().getData<Message<string>>();
    trace.push(`guard ${context.getClass().name}.${context.getHandler().name}`);
    return this.rules.allows(message.content);
  }
}

@Injectable()
class ContextGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const ws = context.switchToWs();
    const { clientId } = ws.getClient<{ clientId: string }>();
    trace.push(`context ${context.getType()} ${clientId} ${ws.getData<Message<string>>().content} ${ws.getPattern()}`);
    return true;
  }
}

@Injectable()
class TracingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    trace.push('interceptor before');
    return next.handle().pipe(tap((result) => trace.push(`interceptor after ${String(result)}`)));
  }
}

@Injectable()
class TrimPipe implements PipeTransform {
  transform(value: unknown): unknown {
    const message = value as Message;
    return typeof message?.content === 'string' ? { ...message, content: message.content.trim() } : value;
  }
}

@Catch()
class TracingFilter implements ExceptionFilter {
  catch(exception: Error, host: ArgumentsHost): string {
    trace.push(`filter ${host.getType()} ${exception.message}`);
    return 'handled';
  }
}

@Injectable()
class Guarded {
  @UseGuards(RulesGuard)
  @MessageListener({ msgType: CommMsgType.TEXT, fromClientId: 'guards' })
  guarded(message: Message<string>): void {
    trace.push(`guarded ${message.content}`);
  }

  @UseGuards(ContextGuard)
  @MessageListener({ fromClientId: 'context' })
  context(): void {
    trace.push('context called');
  }

  @UseInterceptors(TracingInterceptor)
  @UsePipes(TrimPipe)
  @MessageListener({ fromClientId: 'interceptors' })
  intercepted(message: Message<string>): string {
    trace.push(`intercepted "${message.content}"`);
    return 'result';
  }

  @UseFilters(TracingFilter)
  @MessageListener({ fromClientId: 'filters' })
  failing(): void {
    throw new Error('on purpose');
  }
}

@UseGuards(RulesGuard)
@Injectable()
class GuardedClass {
  @MessageListener({ fromClientId: 'class' })
  onMessage(message: Message<string>): void {
    trace.push(`class ${message.content}`);
  }
}

@Controller()
class GuardedController {
  @UseGuards(RulesGuard)
  @MessageListener({ fromClientId: 'controller' })
  onMessage(message: Message<string>): void {
    trace.push(`controller ${message.content}`);
  }
}

@Injectable()
class Plain {
  @MessageListener()
  plain(message: Message<string>): string {
    if (message.content === 'fail') throw new Error('plain failure');
    trace.push(`plain "${message.content}"`);
    return 'plain result';
  }
}

async function start(providers: Provider[], controllers: Type[] = [], modules: Type[] = []): Promise<{ app: INestApplicationContext; url: string }> {
  @Module({
    imports: [...modules, CrossCommModule.forRoot({ port: 0, host: '127.0.0.1', persistPresence: false, storage: { driver: 'none' } })],
    providers,
    controllers,
  })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  return { app, url: `ws://127.0.0.1:${app.get(CrossCommGateway).address?.port}` };
}

async function sayAs(url: string, clientId: string, ...contents: string[]): Promise<void> {
  const client = await RawClient.login(url, clientId);
  for (const content of contents) client.send({ content });
  await client.settled();
  await client.close();
}

afterEach(() => {
  trace.length = 0;
});

describe('Enhancers on a listener', () => {
  let app: INestApplicationContext;
  let url: string;
  let logger: RecordingLogger;

  beforeAll(async () => {
    ({ app, url } = await start([Rules, Guarded, GuardedClass], [GuardedController]));
    logger = RecordingLogger.install();
  });

  afterAll(async () => {
    await app.close();
    logger.restore();
  });

  test('guards of the method decide', async () => {
    await sayAs(url, 'guards', 'forbidden', 'allowed');
    await waitUntil(() => trace.includes('guarded allowed'));
    expect(trace).toEqual(['guard Guarded.guarded', 'guard Guarded.guarded', 'guarded allowed']);
  });

  test('guards of the class decide', async () => {
    await sayAs(url, 'class', 'forbidden', 'allowed');
    await waitUntil(() => trace.includes('class allowed'));
    expect(trace).toEqual(['guard GuardedClass.onMessage', 'guard GuardedClass.onMessage', 'class allowed']);
  });

  test('guards on a controller decide', async () => {
    await sayAs(url, 'controller', 'forbidden', 'allowed');
    await waitUntil(() => trace.includes('controller allowed'));
    expect(trace).toEqual(['guard GuardedController.onMessage', 'guard GuardedController.onMessage', 'controller allowed']);
  });

  test('a refusing guard is logged with class and method', async () => {
    logger.errors.length = 0;
    await sayAs(url, 'guards', 'forbidden');
    await waitUntil(() => logger.errors.length > 0);
    expect(logger.errors.join('\n')).toContain('Listener Guarded.guarded failed on a text message');
    expect(logger.errors.join('\n')).toContain('Forbidden');
  });

  test('see a WebSocket context with client, message and type', async () => {
    await sayAs(url, 'context', 'hello');
    await waitUntil(() => trace.includes('context called'));
    expect(trace[0]).toBe('context ws context hello text');
  });

  test('interceptors wrap the call and pipes prepare the message', async () => {
    await sayAs(url, 'interceptors', '  spaced  ');
    await waitUntil(() => trace.length >= 3);
    expect(trace).toEqual(['interceptor before', 'intercepted "spaced"', 'interceptor after result']);
  });

  test('filters handle what the listener throws', async () => {
    logger.errors.length = 0;
    await sayAs(url, 'filters', 'x');
    await waitUntil(() => trace.length > 0);
    expect(trace).toEqual(['filter ws on purpose']);
    expect(logger.errors).toEqual([]);
  });
});

describe('Global enhancers', () => {
  test('APP_GUARD, APP_INTERCEPTOR, APP_PIPE and APP_FILTER run for listeners', async () => {
    const { app, url } = await start([
      Rules,
      Plain,
      { provide: APP_GUARD, useClass: RulesGuard },
      { provide: APP_INTERCEPTOR, useClass: TracingInterceptor },
      { provide: APP_PIPE, useClass: TrimPipe },
      { provide: APP_FILTER, useClass: TracingFilter },
    ]);
    try {
      await sayAs(url, 'alice', ' hi ', 'forbidden', 'fail');
      await waitUntil(() => trace.includes('filter ws plain failure'));
      expect(trace).toEqual([
        'guard Plain.plain',
        'interceptor before',
        'plain "hi"',
        'interceptor after plain result',
        'guard Plain.plain',
        'filter ws Forbidden resource',
        'guard Plain.plain',
        'interceptor before',
        'filter ws plain failure',
      ]);
    } finally {
      await app.close();
    }
  });
});

describe('A guard class that Nest would leave out', () => {
  const RULED = 'RULED';

  test.each<[string, Provider]>([
    ['useFactory', { provide: RULED, useFactory: () => new GuardedClass() }],
    ['useValue', { provide: RULED, useValue: new GuardedClass() }],
    ['useClass', { provide: RULED, useClass: GuardedClass }],
  ])('either runs or is refused at the start for a provider by %s', async (_kind, provider) => {
    const outcome = await start([Rules, provider]).then(
      async ({ app, url }) => {
        await sayAs(url, 'class', 'forbidden', 'allowed');
        await waitUntil(() => trace.includes('class allowed'));
        await app.close();
        return 'runs';
      },
      (error: Error) => error.message,
    );
    if (outcome === 'runs') expect(trace).not.toContain('class forbidden');
    else expect(outcome).toMatch(/^CC_INVALID_LISTENER: GuardedClass\.onMessage uses RulesGuard, which would not run.*list GuardedClass itself in providers/);
  });

  test('runs for a class that another module hands on by a factory', async () => {
    @Module({ providers: [Rules, GuardedClass], exports: [GuardedClass] })
    class GuardedModule {}
    @Module({ imports: [GuardedModule], providers: [{ provide: RULED, inject: [GuardedClass], useFactory: (guarded: GuardedClass) => guarded }] })
    class HandingOnModule {}
    const { app, url } = await start([], [], [HandingOnModule]);
    await sayAs(url, 'class', 'forbidden', 'allowed');
    await waitUntil(() => trace.includes('class allowed'));
    expect(trace).toEqual(['guard GuardedClass.onMessage', 'guard GuardedClass.onMessage', 'class allowed']);
    await app.close();
  });
});
