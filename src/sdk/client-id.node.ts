import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';

/** `<12 hex MAC>_<8 hex>`, as the Python client makes it; the second part is new for each client. */
export function nodeClientId(): string {
  return `${macAddress()}_${randomBytes(4).toString('hex')}`;
}

function macAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const found = addresses.find(({ internal, mac }) => !internal && mac !== '00:00:00:00:00:00');
  return found === undefined ? randomMac() : found.mac.replaceAll(':', '').toLowerCase();
}

/** A machine without a network card: random, with the multicast bit set, as Python's `uuid.getnode` does. */
function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = (bytes[0] as number) | 1;
  return bytes.toString('hex');
}
