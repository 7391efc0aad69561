import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Message } from 'cross-comm';

/** An ordinary guard: it sees the message of a listener through the WebSocket context. */
@Injectable()
export class NoSpamGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { content } = context.switchToWs().getData<Message>();
    return !String(content).includes('spam');
  }
}
