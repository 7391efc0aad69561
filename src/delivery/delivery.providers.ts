import type { Provider } from '@nestjs/common';
import { ClientsOptions } from '../clients/index.js';
import { DeadLetters } from './dead-letters.js';
import { DeliveryOptions } from './delivery.options.js';
import { DurableDelivery } from './durable-delivery.service.js';
import { GroupRegistry } from './group.registry.js';
import { Mailboxes } from './mailboxes.service.js';
import { MessageHub } from './message-hub.service.js';
import { PresenceWatch } from './presence-watch.service.js';
import { Receipts } from './receipts.js';
import { RequestRouter } from './request-router.service.js';
import { SenderCredit } from './sender-credit.js';
import { MailStore } from './store/index.js';
import { MemoryMailStore } from './store/memory.mail-store.js';

/** Everything of this folder that is injected; `DeliveryOptions` is provided by the module. */
export const DELIVERY_PROVIDERS: Provider[] = [
  GroupRegistry,
  MessageHub,
  DurableDelivery,
  Mailboxes,
  Receipts,
  SenderCredit,
  DeadLetters,
  PresenceWatch,
  RequestRouter,
  { provide: MailStore, inject: [DeliveryOptions, ClientsOptions], useFactory: (): MailStore => new MemoryMailStore() },
];
