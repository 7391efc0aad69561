import { describe, expect, test } from '@jest/globals';
import { array, assert, integer, property } from 'fast-check';
import { LoginRate, MessageRate, SecurityOptions } from '../../src/security/index.js';

const options = (given: Partial<SecurityOptions>): SecurityOptions => Object.assign(new SecurityOptions(), given);

describe('LoginRate', () => {
  test('allows the burst, then one for each interval, whenever they are asked for', () => {
    assert(
      property(array(integer({ min: 0, max: 400 }), { maxLength: 200 }), (gapsMs) => {
        const rate = new LoginRate(options({ loginsPerSecond: 10, loginBurst: 5 }));
        let nowMs = 1_000;
        const allowedAt: number[] = [];
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          if (rate.tryLogin('a', nowMs) === 0) allowedAt.push(nowMs);
        }
        for (const [index, atMs] of allowedAt.entries()) {
          const before = allowedAt.slice(0, index).filter((earlierMs) => atMs - earlierMs < 1_000).length;
          expect(before).toBeLessThan(5 + 10);
        }
      }),
    );
  });

  test('says exactly when the next one may come', () => {
    const rate = new LoginRate(options({ loginsPerSecond: 10, loginBurst: 1 }));
    expect(rate.tryLogin('a', 1_000)).toBe(0);
    expect(rate.tryLogin('a', 1_040)).toBeCloseTo(60);
    expect(rate.tryLogin('a', 1_100)).toBe(0);
  });

  test('a charge for failures bars an address no longer than what one of them costs', () => {
    const rate = new LoginRate(options({ loginsPerSecond: 10, loginBurst: 5 }));
    for (let n = 0; n < 100; n++) rate.charge('a', 10, 1_000);
    expect(rate.tryLogin('a', 1_000)).toBeCloseTo(1_100);
    expect(rate.tryLogin('b', 1_000)).toBe(0);
  });

  test('remembers a bounded number of addresses, and no quiet ones', () => {
    const rate = new LoginRate(options({ loginsPerSecond: 1, loginBurst: 5 }));
    for (let n = 0; n < 150_000; n++) rate.tryLogin(`a${n}`, 1_000);
    expect(rate.addressCount).toBeLessThanOrEqual(100_000);
    for (let n = 0; n < 101_000; n++) rate.tryLogin('b', 1_000_000 + n * 10_000);
    expect(rate.addressCount).toBeLessThanOrEqual(2);
  });
});

describe('MessageRate', () => {
  test('over any time passes no more than rate and burst, and is never stopped below the rate', () => {
    const rate = new MessageRate(options({ messagesPerSecond: 100, bytesPerSecond: 0 }));
    const flood = { messagesUsedUntilMs: 0, bytesUsedUntilMs: 0 };
    let passed = 0;
    for (let nowMs = 1_000; nowMs < 11_000; nowMs++) {
      if (rate.waitMs(flood, nowMs) > 0) continue;
      while (rate.spend(flood, 100, nowMs)) passed++;
    }
    expect(passed).toBeGreaterThan(10 * 100 - 50);
    expect(passed).toBeLessThanOrEqual(10 * 100 + 200);
    const steady = { messagesUsedUntilMs: 0, bytesUsedUntilMs: 0 };
    for (let nowMs = 1_000; nowMs < 20_000; nowMs += 10) expect(rate.spend(steady, 100, nowMs)).toBe(true);
  });

  test('names only the limits that are on', () => {
    expect(new MessageRate(options({ messagesPerSecond: 2000, bytesPerSecond: 16_777_216 })).text).toBe('2000 messages or 16777216 bytes');
    expect(new MessageRate(options({ messagesPerSecond: 0, bytesPerSecond: 16_777_216 })).text).toBe('16777216 bytes');
  });
});
