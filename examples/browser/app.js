import { CommMsgType, CrossCommClient } from 'cross-comm/sdk';

// the bundler takes the browser build of the SDK: no Node module, the page's own WebSocket
const { hub } = await (await fetch('/config.json')).json();
const client = new CrossCommClient({ url: hub });
const byId = (id) => document.getElementById(id);

function show(text) {
  const line = document.createElement('li');
  line.textContent = text;
  byId('messages').append(line);
}

client.onStatus(({ state }) => (byId('status').textContent = `${client.clientId}: ${state}`));
client.onMessage(CommMsgType.TEXT, async (message) => {
  show(`${message.fromClientId}: ${message.content}`);
  if (message.content === 'ping') await client.sendMessage('pong', CommMsgType.TEXT, message.fromClientId);
});
byId('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = byId('text').value;
  byId('text').value = '';
  client.sendMessage(text, CommMsgType.TEXT).then(
    () => show(`me: ${text}`),
    (error) => show(`not sent: ${error.message}`),
  );
});

await client.login({ keepTrying: true });
await client.sendMessage('hello from a page', CommMsgType.TEXT);
