import type { Provider } from '@nestjs/common';
import { MessageHub } from './message-hub.service.js';

/** Everything of this folder that is injected. */
export const DELIVERY_PROVIDERS: Provider[] = [MessageHub];
