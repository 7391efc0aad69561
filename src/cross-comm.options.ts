import { validateSync } from 'class-validator';
import { ClientsOptions } from './clients/index.js';
import { DeliveryOptions } from './delivery/index.js';
import { GatewayOptions } from './gateway/index.js';
import { ListenersOptions } from './listeners/index.js';
import { CrossCommError } from './protocol/index.js';
import { AuthOptions, SecurityOptions } from './security/index.js';
import { StorageOptions } from './storage/index.js';

/**
 * Options of the hub. All are optional; what each means and its default stands in the class it comes from.
 * `storage` holds the options of the file storage, `auth` says who may log in, `delivery` is about durable messages,
 * groups and requests.
 */
export interface CrossCommOptions extends Partial<ClientsOptions>, Partial<GatewayOptions>, Partial<ListenersOptions>, Partial<SecurityOptions> {
  readonly storage?: Partial<StorageOptions>;
  readonly auth?: Partial<AuthOptions>;
  readonly delivery?: Partial<DeliveryOptions>;
}

/** The options of each folder, complete and checked. */
export interface ResolvedOptions {
  readonly clients: ClientsOptions;
  readonly gateway: GatewayOptions;
  readonly listeners: ListenersOptions;
  readonly security: SecurityOptions;
  readonly auth: AuthOptions;
  readonly storage: StorageOptions;
  readonly delivery: DeliveryOptions;
}

/**
 * Fills in the defaults.
 * @throws CrossCommError `CC_INVALID_OPTION`, naming each option that is unknown or out of range
 */
export function resolveOptions({ storage = {}, auth = {}, delivery = {}, ...given }: CrossCommOptions): ResolvedOptions {
  for (const [name, group] of Object.entries({ storage, auth, delivery }) as [string, unknown][])
    if (typeof group !== 'object' || group === null) throw new CrossCommError('CC_INVALID_OPTION', `${name} is not an object of options.`);
  const resolved: ResolvedOptions = {
    clients: new ClientsOptions(),
    gateway: new GatewayOptions(),
    listeners: new ListenersOptions(),
    security: new SecurityOptions(),
    auth: new AuthOptions(),
    storage: new StorageOptions(),
    delivery: new DeliveryOptions(),
  };
  const { clients, gateway, listeners, security } = resolved;
  for (const [name, value] of Object.entries(given)) {
    assign([clients, gateway, listeners, security].find((options) => Object.hasOwn(options, name)), name, value);
  }
  // one of the pair given alone pulls the other along
  if (given.heartbeatInterval === undefined) clients.heartbeatInterval = Math.min(30, clients.heartbeatTimeout / 2);
  else if (given.heartbeatTimeout === undefined) clients.heartbeatTimeout = Math.max(60, clients.heartbeatInterval * 2);
  resolved.delivery.requireStore = given.dataDir !== undefined;
  if (given.softBufferedBytes === undefined) gateway.softBufferedBytes = Math.min(gateway.softBufferedBytes, gateway.maxBufferedBytes);
  resolved.storage.directory = `${clients.dataDir}/storage`;
  for (const [group, options] of Object.entries({ storage, auth, delivery })) {
    const owner = resolved[group as 'storage' | 'auth' | 'delivery'];
    for (const [name, value] of Object.entries(options)) assign(Object.hasOwn(owner, name) ? owner : undefined, name, value);
  }
  assertValid(resolved);
  return resolved;
}

function assign(owner: object | undefined, name: string, value: unknown): void {
  if (owner === undefined) throw new CrossCommError('CC_INVALID_OPTION', `There is no option "${name}".`);
  // the validator lets null pass where undefined may stand
  if (value === null) throw new CrossCommError('CC_INVALID_OPTION', `${name} is null; leave it out for its default.`);
  if (value !== undefined) Object.assign(owner, { [name]: value });
}

function assertValid(resolved: ResolvedOptions): void {
  const problems = Object.values(resolved).flatMap((options: object) => validateSync(options, { whitelist: true, forbidNonWhitelisted: true }));
  if (problems.length > 0) {
    const texts = problems.flatMap((problem) => Object.values(problem.constraints ?? {}));
    throw new CrossCommError('CC_INVALID_OPTION', `${texts.join('; ')}.`);
  }
  const { heartbeatTimeout, heartbeatInterval } = resolved.clients;
  if (heartbeatTimeout <= heartbeatInterval)
    throw new CrossCommError('CC_INVALID_OPTION', 'heartbeatTimeout must be longer than heartbeatInterval.');
  const { port, tlsCertFile, tlsKeyFile, tlsClientCaFile, softBufferedBytes, maxBufferedBytes } = resolved.gateway;
  if (softBufferedBytes > maxBufferedBytes) throw new CrossCommError('CC_INVALID_OPTION', 'softBufferedBytes must not be more than maxBufferedBytes.');
  if (port === undefined && (tlsCertFile ?? tlsKeyFile ?? tlsClientCaFile) !== undefined)
    throw new CrossCommError('CC_INVALID_OPTION', 'tlsCertFile and tlsKeyFile need an own port; a shared server has the TLS of the application.');
}
