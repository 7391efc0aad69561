import { Injectable } from '@nestjs/common';
import { addressGroup } from './client-address.js';
import { SecurityOptions } from './security.options.js';

/** Why a connection is one too many: for the hub, or for its address. */
export type ConnectionRefusal = 'hub_full' | 'address_full';

/** Counts open connections, in all and per address. */
@Injectable()
export class ConnectionLimit {
  readonly #perAddress = new Map<string, number>();
  #total = 0;

  constructor(private readonly options: SecurityOptions) {}

  /** Why one more connection from this address is one too many; undefined when it is not. */
  refusal(address: string): ConnectionRefusal | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.options;
    if (maxConnections > 0 && this.#total >= maxConnections) return 'hub_full';
    if (maxConnectionsPerAddress > 0 && (this.#perAddress.get(addressGroup(address)) ?? 0) >= maxConnectionsPerAddress) return 'address_full';
    return undefined;
  }

  opened(address: string): void {
    this.#total++;
    const group = addressGroup(address);
    this.#perAddress.set(group, (this.#perAddress.get(group) ?? 0) + 1);
  }

  /** To be called once for each {@link opened}. */
  closed(address: string): void {
    this.#total--;
    const group = addressGroup(address);
    const count = (this.#perAddress.get(group) ?? 0) - 1;
    if (count > 0) this.#perAddress.set(group, count);
    else this.#perAddress.delete(group);
  }
}
