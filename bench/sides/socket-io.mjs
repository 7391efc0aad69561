// @ts-check
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { serve } from './serve.mjs';

// Socket.IO over its WebSocket transport. Not a dependency of this repository: found when it is installed, in
// NODE_PATH too.

const { Server } = await import(pathToFileURL(createRequire(import.meta.url).resolve('socket.io')).href);
const httpServer = createServer();
const io = new Server(httpServer, { transports: ['websocket'] });
/** @type {Map<string, any>} */
const clients = new Map();

io.on('connection', (/** @type {any} */ socket) => {
  socket.on('login', (/** @type {any} */ message) => {
    clients.set(message.from_client_id, socket);
    socket.on('disconnect', () => clients.delete(message.from_client_id));
    socket.emit('login_response', { status: 'success' });
  });
  socket.on('text', (/** @type {any} */ message) => {
    if (message.to_client_id === 'all') socket.broadcast.emit('text', message);
    else clients.get(message.to_client_id)?.emit('text', message);
  });
});

httpServer.listen(0, '127.0.0.1', () => serve(/** @type {import('node:net').AddressInfo} */ (httpServer.address()).port));
