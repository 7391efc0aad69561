import { describe, expect, test } from '@jest/globals';
import { Controller, Inject, Injectable, Module, Scope, UseGuards, type CanActivate, type Provider, type Type } from '@nestjs/common';
import { APP_GUARD, NestFactory, REQUEST } from '@nestjs/core';
import { CommMsgType, CrossCommModule, MessageListener } from '../../src/index.js';

@Injectable({ scope: Scope.REQUEST })
class RequestScoped {
  @MessageListener()
  onMessage(): void {}
}

@Injectable({ scope: Scope.TRANSIENT })
class Transient {
  @MessageListener()
  onMessage(): void {}
}

@Injectable()
class DependsOnRequest {
  constructor(@Inject(REQUEST) readonly request: unknown) {}

  @MessageListener()
  onMessage(): void {}
}

@Controller({ scope: Scope.REQUEST })
class RequestScopedController {
  @MessageListener()
  onMessage(): void {}
}

@Injectable({ scope: Scope.REQUEST })
class RequestScopedGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class WithRequestScopedGuard {
  @UseGuards(RequestScopedGuard)
  @MessageListener()
  onMessage(): void {}
}

@Injectable()
class PlainGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class PlainListener {
  @MessageListener()
  onMessage(): void {}
}

@Injectable()
class LoginListener {
  @MessageListener([CommMsgType.TEXT, CommMsgType.LOGIN])
  onLogin(): void {}
}

async function startProblem(providers: Provider[], controllers: Type[] = []): Promise<string> {
  @Module({
    imports: [CrossCommModule.forRoot({ port: 0, host: '127.0.0.1', persistPresence: false, storage: { driver: 'none' } })],
    providers,
    controllers,
  })
  class AppModule {}
  try {
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    await app.close();
    return 'started';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('The start of the hub', () => {
  test.each<[string, Provider]>([
    ['RequestScoped', RequestScoped],
    ['Transient', Transient],
    ['DependsOnRequest', DependsOnRequest],
    ['WithRequestScopedGuard', WithRequestScopedGuard],
  ])('refuses the listener of %s with the remedy', async (name, provider) => {
    expect(await startProblem([provider])).toMatch(new RegExp(`^CC_INVALID_LISTENER: ${name}\\.onMessage is a listener in a provider that is request-scoped.*make the provider and all it uses singletons`));
  });

  test('refuses the listener of a request-scoped controller', async () => {
    expect(await startProblem([], [RequestScopedController])).toMatch(/^CC_INVALID_LISTENER: RequestScopedController\.onMessage .*singletons/);
  });

  test('refuses listeners beside a request-scoped global guard, because it would not run', async () => {
    const guard: Provider = { provide: APP_GUARD, useClass: PlainGuard, scope: Scope.REQUEST };
    expect(await startProblem([guard, PlainListener])).toMatch(/^CC_INVALID_LISTENER: The global PlainGuard is request-scoped and would not run for listeners.*singletons/);
    expect(await startProblem([guard])).toBe('started');
  });

  test('refuses a listener for types that never reach one, naming clientEvents', async () => {
    expect(await startProblem([LoginListener])).toMatch(/^CC_INVALID_LISTENER: LoginListener\.onLogin listens for "login".*clientEvents/);
  });

  test('does not touch getters of other providers', async () => {
    @Injectable()
    class Touchy {
      get fragile(): never {
        throw new Error('a getter was called');
      }
    }
    expect(await startProblem([Touchy, { provide: 'NULL', useValue: Object.create(null) }, { provide: 'NOTHING', useValue: null }])).toBe('started');
  });
});

describe('@MessageListener, used wrongly, fails when the class is defined', () => {
  test.each<[string, unknown, RegExp]>([
    ['an unknown option', { type: 'text' }, /Wrong\.method has the unknown option "type"; use msgType, fromClientId, downloadDirectory/],
    ['an unknown type', 'txt', /Wrong\.method has the msgType txt, which does not exist; use CommMsgType/],
    ['no type at all', [], /Wrong\.method has the msgType \[\], which does not exist/],
    ['an unknown type in a list', ['text', 'TEXT'], /Wrong\.method has the msgType TEXT, which does not exist/],
    ['an empty sender', { fromClientId: '' }, /Wrong\.method has an empty or non-string fromClientId; leave it out to take all/],
    ['a directory that is no string', { downloadDirectory: 7 }, /Wrong\.method has an empty or non-string downloadDirectory/],
  ])('with %s', (_what, options, problem) => {
    expect(() => {
      class Wrong {
        @MessageListener(options as CommMsgType)
        method(): void {}
      }
      return Wrong;
    }).toThrow(problem);
  });

  test('on a property or a getter', () => {
    const decorate = MessageListener();
    class Wrong {}
    expect(() => decorate(Wrong.prototype, 'property')).toThrow(/Wrong\.property is not a method; @MessageListener stands on methods only/);
    expect(() => decorate(Wrong.prototype, 'getter', { get: () => 1 })).toThrow(/Wrong\.getter is not a method/);
  });
});
