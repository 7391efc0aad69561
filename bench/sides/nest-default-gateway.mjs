// @ts-check
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { serve } from './serve.mjs';

// The gateway of Nest's own chapter on WebSockets: WsAdapter, @SubscribeMessage, {"event", "data"} on the wire.
// Plain JavaScript has no decorators yet, so they are applied by hand below the class.

class RelayGateway {
  /** @type {Map<string, import('ws').WebSocket>} */
  clients = new Map();

  /**
   * @param {import('ws').WebSocket} socket
   * @param {any} message
   */
  login(socket, message) {
    this.clients.set(message.from_client_id, socket);
    return { event: 'login_response', data: { status: 'success' } };
  }

  /**
   * @param {import('ws').WebSocket} socket
   * @param {any} message
   */
  text(socket, message) {
    const frame = JSON.stringify({ event: 'text', data: message });
    if (message.to_client_id !== 'all') this.clients.get(message.to_client_id)?.send(frame);
    else for (const receiver of this.clients.values()) if (receiver !== socket) receiver.send(frame);
  }

  /** @param {import('ws').WebSocket} socket */
  handleDisconnect(socket) {
    for (const [id, known] of this.clients) if (known === socket) this.clients.delete(id);
  }
}

WebSocketGateway()(RelayGateway);
for (const event of /** @type {const} */ (['login', 'text'])) {
  const descriptor = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(RelayGateway.prototype, event));
  SubscribeMessage(event)(RelayGateway.prototype, event, descriptor);
  ConnectedSocket()(RelayGateway.prototype, event, 0);
  MessageBody()(RelayGateway.prototype, event, 1);
}

class RelayModule {}
Module({ providers: [RelayGateway] })(RelayModule);

const app = await NestFactory.create(RelayModule, { abortOnError: false });
app.useWebSocketAdapter(new WsAdapter(app));
await app.listen(0, '127.0.0.1');
serve(app.getHttpServer().address().port);
