import type { Provider } from '@nestjs/common';
import { ConnectionLimit } from './connection-limit.js';
import { LoginRate } from './login-rate.js';
import { MessageRate } from './message-rate.js';
import { Refusals } from './refusals.js';

/** Everything of this folder that is injected; `SecurityOptions` is provided by the module. */
export const SECURITY_PROVIDERS: Provider[] = [ConnectionLimit, LoginRate, MessageRate, Refusals];
