import type { Provider } from '@nestjs/common';
import { join } from 'node:path';
import { ClientsOptions } from '../clients/index.js';
import { DeadLetters } from './dead-letters.js';
import { DeliveryOptions } from './delivery.options.js';
import { DurableDelivery } from './durable-delivery.service.js';
import { GroupRegistry } from './group.registry.js';
import { Mailboxes } from './mailboxes.service.js';
import { MessageHub } from './message-hub.service.js';
import { PendingAcks } from './pending-acks.service.js';
import { PresenceWatch } from './presence-watch.service.js';
import { Receipts } from './receipts.js';
import { RequestRouter } from './request-router.service.js';
import { SenderCredit } from './sender-credit.js';
import { LogMailStore, MailStore, MemoryMailStore } from './store/index.js';

/** Everything of this folder that is injected; `DeliveryOptions` is provided by the module. */
export const DELIVERY_PROVIDERS: Provider[] = [
  GroupRegistry,
  MessageHub,
  DurableDelivery,
  Mailboxes,
  PendingAcks,
  Receipts,
  SenderCredit,
  DeadLetters,
  PresenceWatch,
  RequestRouter,
  { provide: MailStore, inject: [DeliveryOptions, ClientsOptions], useFactory: mailStoreOf },
];

/** Frames of the last messages that stay in memory, in bytes; others are read from the disk. */
const CACHE_BYTES = 32 * 1024 * 1024;

function mailStoreOf(options: DeliveryOptions, { dataDir }: ClientsOptions): MailStore {
  const { segmentBytes, maxStoreBytes, duplicateWindowMs, maxRememberedIds, dataDirWaitMs, requireStore } = options;
  const lockWaitMs = requireStore ? dataDirWaitMs : 0;
  const limits = { maxStoreBytes, duplicateWindowMs, maxRememberedIds };
  // without a store nothing is ever put into it
  if (options.store !== 'log') return new MemoryMailStore(limits);
  return new LogMailStore({ ...limits, directory: join(dataDir, 'mail'), segmentBytes, cacheBytes: CACHE_BYTES, lockWaitMs });
}
