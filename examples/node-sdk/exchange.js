import { CommMsgType, CrossCommClient } from 'cross-comm/sdk';

/** Alice greets Bob, Bob answers; returns the two texts as they arrived. */
export async function exchange(url) {
  const alice = new CrossCommClient({ url, clientId: 'alice' });
  const bob = new CrossCommClient({ url, clientId: 'bob' });

  const greeting = new Promise((resolve) => {
    bob.onMessage({ msgType: CommMsgType.TEXT, fromClientId: 'alice' }, async (message) => {
      await bob.sendMessage({ youSaid: message.content }, CommMsgType.DICT, message.fromClientId);
      resolve(message.content);
    });
  });
  const answer = new Promise((resolve) => {
    alice.onMessage({ msgType: CommMsgType.DICT }, (message) => resolve(message.content.youSaid));
  });

  try {
    await Promise.all([alice.login(), bob.login()]);
    await alice.sendMessage('hi', CommMsgType.TEXT, 'bob');
    return { greeting: await greeting, answer: await answer };
  } finally {
    await Promise.all([alice.logout(), bob.logout()]);
  }
}
