import { Injectable, UseGuards } from '@nestjs/common';
import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import { CommMsgType, ConnectedClient, CrossCommService, MessageListener, type Message } from 'cross-comm';
import { readFile } from 'node:fs/promises';
import { NoSpamGuard } from './no-spam.guard.js';

/** Where received files are put. */
export const INBOX = process.env['INBOX'] ?? './inbox';

/** Listeners in three forms. They see every message routed through the hub, not only those to the server. */
@Injectable()
export class Archive {
  readonly texts: string[] = [];

  constructor(private readonly crossComm: CrossCommService) {}

  @UseGuards(NoSpamGuard)
  @MessageListener(CommMsgType.TEXT)
  onText(@MessageBody('content') text: string, @ConnectedSocket() client: ConnectedClient): void {
    this.texts.push(`${client.clientId}: ${text}`);
  }

  @MessageListener([CommMsgType.JSON, CommMsgType.DICT])
  async onData(message: Message): Promise<void> {
    const kind = message.msgType === CommMsgType.JSON ? 'JSON text' : 'a dict';
    await this.crossComm.sendMessage(`thanks for ${kind}`, CommMsgType.TEXT, message.fromClientId);
  }

  @MessageListener({ msgType: CommMsgType.FILE, downloadDirectory: INBOX })
  async onFile(message: Message<string>): Promise<void> {
    if (message.localPath === undefined) throw message.downloadError ?? new Error('nothing was downloaded');
    const { length } = await readFile(message.localPath);
    await this.crossComm.sendMessage(`received ${length} bytes`, CommMsgType.TEXT, message.fromClientId);
  }
}
