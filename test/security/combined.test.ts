import { describe, expect, test } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Authenticator, CombinedAuthenticator, hashToken, type AuthDecision, type AuthRequest, type UpgradeRequest } from '../../src/security/index.js';
import { SECRET, hs256 } from '../support/jwt.js';
import { loginOutcome } from '../support/login-outcome.js';
import { openHub } from '../support/open-hub.js';

const refused = { code: 'CC_AUTH_FAILED', closed: 4401 };

describe('Several authenticators', () => {
  test('are asked in their order, and the first that lets in decides; otherwise the login is refused', async () => {
    const asked: string[] = [];
    const hub = await openHub({
      auth: {
        tokens: { alice: hashToken('secret-a') },
        jwt: { secret: SECRET },
        authenticator: ({ clientId, token }) => {
          asked.push(clientId);
          return Promise.resolve({ allowed: token === 'third' });
        },
      },
    });
    expect(hub.app.get(Authenticator).description).toBe('tokens of 1 client ids and 0 patterns, JWT (HS256), a function of the application');
    expect(await loginOutcome(hub.url, 'alice', 'secret-a')).toBe('success');
    expect(await loginOutcome(hub.url, 'alice', hs256({ sub: 'alice' }))).toBe('success');
    expect(asked).toEqual([]);
    expect(await loginOutcome(hub.url, 'alice', 'third')).toBe('success');
    // the reason that tells most
    expect(await loginOutcome(hub.url, 'alice', 'fourth')).toEqual({ ...refused, message: expect.stringContaining('no JWT') });
    expect(await loginOutcome(hub.url, 'bob', 'secret-a')).toMatchObject(refused);
    expect(asked).toEqual(['alice', 'alice', 'bob']);
  });

  test('one that fails lets nobody in, also who a later one would', async () => {
    const down = { authenticate: (): never => { throw new Error('down'); } } as unknown as Authenticator;
    const late = { authenticate: () => Promise.reject(new Error('down')) } as unknown as Authenticator;
    for (const first of [down, late]) {
      const hub = await openHub({ auth: { authenticator: new CombinedAuthenticator([first, new Everyone()]) } });
      expect(await loginOutcome(hub.url, 'alice')).toMatchObject({ code: 'CC_INTERNAL', closed: 4003 });
    }
  });

  test('go on after one that takes its time', async () => {
    const slow = new (class extends Authenticator {
      override authenticate(): Promise<AuthDecision> {
        return new Promise((resolve) => setTimeout(resolve, 10, { allowed: false, reason: 'slow' }));
      }
    })();
    const both = await openHub({ auth: { authenticator: new CombinedAuthenticator([slow, slow, new Everyone()]) } });
    expect(await loginOutcome(both.url, 'alice')).toBe('success');
    const none = await openHub({ auth: { authenticator: new CombinedAuthenticator([slow, slow]) } });
    expect(await loginOutcome(none.url, 'alice')).toMatchObject({ ...refused, message: expect.stringContaining('slow') });
  });

  test('a bearer token ends the upgrade only where none of them could use it', async () => {
    const both = await openHub({ auth: { tokens: { alice: hashToken('opaque') }, jwt: { secret: SECRET } } });
    const options = { headers: { Authorization: 'Bearer opaque' } };
    expect(await loginOutcome(both.url, 'alice', undefined, options)).toBe('success');
    const one = await openHub({ auth: { jwt: { secret: SECRET } } });
    await expect(loginOutcome(one.url, 'alice', undefined, options)).rejects.toThrow('401');
  });
});

test('One that throws about an upgrade refuses it with 500, and the hub lives', async () => {
  class Throwing extends Authenticator {
    override refusesUpgrade({ headers }: UpgradeRequest): boolean {
      if (headers['x-odd'] !== undefined) throw new Error('on purpose');
      return false;
    }
    override authenticate(): AuthDecision {
      return { allowed: true };
    }
  }
  const hub = await openHub({ auth: { authenticator: new Throwing() } });
  await expect(loginOutcome(hub.url, 'alice', undefined, { headers: { 'X-Odd': '1' } })).rejects.toThrow('500');
  expect(await loginOutcome(hub.url, 'alice')).toBe('success');
});

@Injectable()
class Everyone extends Authenticator {
  override authenticate(): AuthDecision {
    return { allowed: true };
  }
}

describe('A class as authenticator', () => {
  test('is made by Nest, with what it wants injected', async () => {
    const { ModuleRef } = await import('@nestjs/core');
    @Injectable()
    class OnlyWithNest extends Authenticator {
      readonly hasModuleRef: boolean;
      constructor(moduleRef: InstanceType<typeof ModuleRef>) {
        super();
        this.hasModuleRef = moduleRef instanceof ModuleRef;
      }
      override authenticate({ clientId }: AuthRequest): AuthDecision {
        return { allowed: this.hasModuleRef && clientId === 'alice', permissions: { send: [] } };
      }
    }
    Reflect.defineMetadata('design:paramtypes', [ModuleRef], OnlyWithNest);
    const hub = await openHub({ auth: { authenticator: OnlyWithNest } });
    expect(await loginOutcome(hub.url, 'alice')).toBe('success');
    expect(await loginOutcome(hub.url, 'bob')).toMatchObject(refused);
  });
});
