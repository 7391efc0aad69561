import { LogMailStore } from '../../../src/delivery/store/index.js';
import { putMail, STORE_OPTIONS } from './store-driver.js';

// Writes until it is killed; says on stdout which messages are stored and which removals are durable.
const store = new LogMailStore({ ...STORE_OPTIONS, directory: process.argv[2] ?? '', segmentBytes: 64 * 1024, lockWaitMs: 5_000 });
const say = (line: string): void => void process.stdout.write(`${line}\n`);
await store.open({
  onStored: (mails) => say(`stored ${mails.map(({ seq }) => seq).join(' ')}`),
  onRefused: (_, error) => {
    throw error;
  },
});
say('open');
for (;;) {
  const seqs = Array.from({ length: 50 }, () => putMail(store).seq);
  await store.flush();
  const removed = seqs.filter((seq) => seq % 8 !== 0);
  say(`removing ${removed.join(' ')}`);
  store.remove('bob', removed);
  await store.flush();
  say(`removed ${removed.join(' ')}`);
}
