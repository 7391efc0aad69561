import { Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { CrossCommError } from '../protocol/index.js';
import { SecurityOptions } from './security.options.js';

/** Whose address a connection comes from, and which addresses are one and the same for limits. */
@Injectable()
export class ClientAddress {
  readonly #trusted = new BlockList();
  readonly #isBehindProxy: boolean;

  /** @throws CrossCommError `CC_INVALID_OPTION` */
  constructor({ trustedProxies }: SecurityOptions) {
    this.#isBehindProxy = trustedProxies.length > 0;
    for (const text of trustedProxies) this.#trust(text);
  }

  /**
   * The peer's address as the socket tells it; where that is a trusted proxy, the last address of `X-Forwarded-For` that
   * is none. What stands before it in the header was written by strangers.
   */
  of(socketAddress: string, headers: IncomingHttpHeaders): string {
    if (!this.#isBehindProxy) return socketAddress;
    let address = socketAddress;
    const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
    while (this.#isTrusted(address)) {
      const next = withoutPort(forwarded.pop()?.trim() ?? '');
      if (isIP(next) === 0) break;
      address = next;
    }
    return address;
  }

  #isTrusted(address: string): boolean {
    const plain = withoutMapping(address);
    const version = isIP(plain);
    return version !== 0 && this.#trusted.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  }

  #trust(text: string): void {
    const [address = '', bits, ...rest] = text.split('/');
    const version = isIP(address);
    const prefix = bits === undefined ? (version === 6 ? 128 : 32) : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (version === 0 || rest.length > 0 || prefix < 0 || prefix > (version === 6 ? 128 : 32))
      throw new CrossCommError('CC_INVALID_OPTION', `trustedProxies: ${JSON.stringify(text)} is neither an address nor a network like 10.0.0.0/8.`);
    this.#trusted.addSubnet(address, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
}

/**
 * What limits count by: the address, or of IPv6 its /64, which is what one machine is given; it could otherwise take
 * another address for each connection.
 */
export function addressGroup(address: string): string {
  const plain = withoutMapping(address);
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = (plain.split('%')[0] as string).split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    // an IPv4 address at the end takes two groups
    const missing = 8 - groups.length - last.length - (tail.includes('.') ? 1 : 0);
    groups.push(...Array.from({ length: missing }, () => '0'), ...last);
  }
  return `${groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** IPv4 as a socket for both kinds of address tells it. */
function withoutMapping(address: string): string {
  const [, plain] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  return plain ?? address;
}

/** Some proxies add a port: `1.2.3.4:5678`, `[2001:db8::1]:5678`. */
function withoutPort(text: string): string {
  const [, v6, v4] = /^(?:\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(text) ?? [];
  return v6 ?? v4 ?? text;
}
