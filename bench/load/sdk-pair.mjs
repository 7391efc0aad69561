// @ts-check
import { importFromDist } from '../dist.mjs';

/**
 * The SDK as users use it; a message that cannot be sent ends the process.
 *
 * @type {import('./client-pair.load.mjs').OpenPair}
 */
export async function openSdkPair(port, onContent) {
  const { CrossCommClient } = await importFromDist('sdk/index.node.js');
  const url = `ws://127.0.0.1:${port}`;
  const sender = new CrossCommClient({ url, clientId: 'bench-sender' });
  const receiver = new CrossCommClient({ url, clientId: 'bench-receiver' });
  receiver.onMessage('text', (/** @type {{ content: string }} */ { content }) => {
    try {
      onContent(content);
    } catch (error) {
      // the SDK would report it and go on
      process.nextTick(() => {
        throw error;
      });
    }
  });
  await Promise.all([sender.login(), receiver.login()]);
  // live, as the plain pair beside it
  return (content) => void sender.sendMessage(content, 'text', 'bench-receiver', { delivery: 'live' });
}
