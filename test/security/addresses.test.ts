import { describe, expect, test } from '@jest/globals';
import { assert, integer, array, property } from 'fast-check';
import { ClientAddress, SecurityOptions, addressGroup } from '../../src/security/index.js';
import { openHub } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';

const addresses = (...trustedProxies: string[]): ClientAddress => new ClientAddress(Object.assign(new SecurityOptions(), { trustedProxies }));
const forwarded = (text: string) => ({ 'x-forwarded-for': text });

describe('The address of a client', () => {
  test('is that of the socket, whatever a header says, when no proxy is trusted', () => {
    expect(addresses().of('127.0.0.1', forwarded('9.9.9.9'))).toBe('127.0.0.1');
    expect(addresses('10.0.0.0/8').of('192.0.2.1', forwarded('9.9.9.9'))).toBe('192.0.2.1');
  });

  test.each<[string, string]>([
    ['9.9.9.9', '9.9.9.9'],
    ['6.6.6.6, 9.9.9.9', '9.9.9.9'],
    ['6.6.6.6, 9.9.9.9, 10.1.2.3', '9.9.9.9'],
    ['9.9.9.9:5678', '9.9.9.9'],
    ['[2001:db8::1]:5678', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['10.0.0.2, 10.0.0.3', '10.0.0.2'],
    ['', '10.0.0.1'],
    ['unknown', '10.0.0.1'],
    ['9.9.9.9, nonsense', '10.0.0.1'],
  ])('behind a trusted proxy, of X-Forwarded-For "%s", is %s', (header, expected) => {
    expect(addresses('10.0.0.0/8', '::1').of('10.0.0.1', forwarded(header))).toBe(expected);
    expect(addresses('10.0.0.0/8').of('::ffff:10.0.0.1', forwarded(header))).toBe(expected.replace('10.0.0.1', '::ffff:10.0.0.1'));
  });

  test.each([
    ['::ffff:10.0.0.0/104', '10.0.0.1'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['10.0.0.1', '::ffff:a00:1'],
    ['fe80::/10', 'fe80::1'],
    ['fe80::/10', 'fe80::1%eth0'],
    ['::1', '::1'],
  ])('a proxy listed as %s is known as %s', (listed, peer) => {
    expect(addresses(listed).of(peer, forwarded('9.9.9.9'))).toBe('9.9.9.9');
  });

  test.each(['10.0.0.0/33', 'proxy.example', '10.0.0.0/', '::1/129', '1.2.3.4/8/8', ''])('trusts no proxy called "%s"', (text) => {
    expect(() => addresses(text)).toThrow(/CC_INVALID_OPTION/);
  });

  test('of IPv6 counts by its /64, in any spelling; IPv4 by itself', () => {
    expect(addressGroup('2001:db8:1:2:3:4:5:6')).toBe(addressGroup('2001:0DB8:1:2::'));
    expect(addressGroup('2001:db8:1:2::1')).not.toBe(addressGroup('2001:db8:1:3::1'));
    expect(addressGroup('::1')).toBe('0:0:0:0::/64');
    expect(addressGroup('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(addressGroup('::ffff:1.2.3.4')).toBe('1.2.3.4');
    expect(addressGroup('64:ff9b::1.2.3.4')).toBe('64:ff9b:0:0::/64');
    expect(addressGroup('unknown')).toBe('unknown');
    assert(
      property(array(integer({ min: 0, max: 65_535 }), { minLength: 8, maxLength: 8 }), (groups) => {
        const hex = groups.map((group) => group.toString(16));
        expect(addressGroup(hex.join(':'))).toBe(`${hex.slice(0, 4).join(':')}::/64`);
      }),
    );
  });

  test('forwarded by a trusted proxy is what limits count by', async () => {
    const hub = await openHub({ maxConnectionsPerAddress: 1, trustedProxies: ['127.0.0.1'] });
    const from = (address: string): Promise<RawClient> => RawClient.connect(hub.url, { headers: { 'X-Forwarded-For': address } });
    await from('2001:db8::1');
    await from('2001:db8:0:1::1');
    await expect(from('2001:db8::2')).rejects.toThrow('429');
    expect(hub.service.refusalCounts.address_full).toBe(1);
  });
});
