import { Injectable } from '@nestjs/common';
import { CommMsgType, CrossCommService, MessageListener, type Message } from 'cross-comm';

/** Answers every text that is sent to the server. */
@Injectable()
export class Robot {
  constructor(private readonly crossComm: CrossCommService) {}

  @MessageListener(CommMsgType.TEXT)
  async onText(message: Message<string>): Promise<void> {
    if (message.toClientId !== 'server') return;
    await this.crossComm.sendMessage(`got ${message.content}`, CommMsgType.TEXT, message.fromClientId);
  }
}
