// @ts-check
import { WebSocketServer } from 'ws';
import { serve } from './serve.mjs';

// The yardstick: the relay one writes in ten minutes. It parses each message, looks the receiver up, and sends the
// bytes on. No rules: anybody may claim anything.

/** @type {Map<string, import('ws').WebSocket>} */
const clients = new Map();
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });

server.on('connection', (socket) => {
  /** @type {string | undefined} */
  let clientId;
  socket.on('message', (data) => {
    const message = JSON.parse(data.toString());
    if (message.msg_type === 'login') {
      clientId = String(message.from_client_id);
      clients.set(clientId, socket);
      socket.send(loginResponse(clientId));
    } else if (message.to_client_id === 'all') {
      for (const [id, receiver] of clients) if (id !== clientId) receiver.send(data, { binary: false });
    } else {
      clients.get(message.to_client_id)?.send(data, { binary: false });
    }
  });
  socket.on('close', () => {
    if (clientId !== undefined && clients.get(clientId) === socket) clients.delete(clientId);
  });
  // a load process that is done does not say goodbye
  socket.on('error', () => socket.terminate());
});

server.on('listening', () => serve(/** @type {import('node:net').AddressInfo} */ (server.address()).port));

/** @param {string} clientId */
function loginResponse(clientId) {
  return JSON.stringify({
    msg_id: `server_${Date.now()}_00000000`,
    from_client_id: 'server',
    to_client_id: clientId,
    msg_type: 'login_response',
    content: { status: 'success' },
    timestamp: Date.now() / 1000,
    oss_key: null,
  });
}
