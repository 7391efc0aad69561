// @ts-check
import { once } from 'node:events';
import { WebSocket } from 'ws';

/**
 * What one writes without an SDK: an object, `JSON.stringify`, `JSON.parse`, and not one check.
 *
 * @type {import('./client-pair.load.mjs').OpenPair}
 */
export async function openPlainPair(port, onContent) {
  const sender = await open(port, 'bench-sender');
  const receiver = await open(port, 'bench-receiver');
  receiver.on('message', (data) => onContent(JSON.parse(data.toString()).content));
  let serial = 0;
  return (content) => sender.send(envelope({ from: 'bench-sender', to: 'bench-receiver', type: 'text', content }, serial++));
}

/**
 * @param {number} port
 * @param {string} id
 */
async function open(port, id) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await once(socket, 'open');
  socket.send(envelope({ from: id, to: 'server', type: 'login', content: '' }, 0));
  const [answer] = await once(socket, 'message');
  if (JSON.parse(answer.toString()).content.status !== 'success') throw new Error(`${id} was not let in: ${answer.toString()}`);
  socket.on('close', (code) => {
    throw new Error(`${id} was closed with ${code}.`);
  });
  return socket;
}

/**
 * @param {{ from: string, to: string, type: string, content: string }} message
 * @param {number} serial
 */
function envelope({ from, to, type, content }, serial) {
  const nowMs = Date.now();
  return JSON.stringify({
    msg_id: `${from}_${nowMs}_${serial.toString(16).padStart(8, '0')}`,
    from_client_id: from,
    to_client_id: to,
    msg_type: type,
    content,
    timestamp: nowMs / 1000,
    oss_key: null,
  });
}
