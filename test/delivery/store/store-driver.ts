import { steadyNowMs } from '../../../src/clients/index.js';
import { LogMailStore, type LogMailStoreOptions, type MailStore, type NewMail, type OpenedStore, type StoredMail } from '../../../src/delivery/store/index.js';
import type { SimulatedFileSystem } from './simulated.file-system.js';

/** Settings of the stores under test. */
export const STORE_OPTIONS: LogMailStoreOptions = {
  directory: '/mail',
  segmentBytes: 4_096,
  slackSegments: 2,
  maxStoreBytes: 2 ** 30,
  duplicateWindowMs: 60_000,
  maxRememberedIds: 100_000,
  cacheBytes: 1_000,
};

/** A store that is open, with what it told. */
export interface OpenStore {
  readonly store: MailStore;
  readonly opened: OpenedStore;
  readonly stored: StoredMail[];
  readonly refused: { readonly mail: StoredMail; readonly error: Error }[];
}

/** Opens a store and keeps what it tells. */
export async function openStore(store: MailStore): Promise<OpenStore> {
  const stored: StoredMail[] = [];
  const refused: { mail: StoredMail; error: Error }[] = [];
  const opened = await store.open({
    onStored: (mails) => stored.push(...mails),
    onRefused: (mails, error) => refused.push(...mails.map((mail) => ({ mail, error }))),
  });
  return { store, opened, stored, refused };
}

/** Opens a log on a simulated disk. */
export function openLog(disk: SimulatedFileSystem, options: Partial<LogMailStoreOptions> = {}): Promise<OpenStore> {
  return openStore(new LogMailStore({ ...STORE_OPTIONS, ...options }, disk));
}

interface PutMail extends Partial<Omit<NewMail, 'frame' | 'recipients'>> {
  readonly recipients?: readonly string[];
  readonly frame?: Buffer;
}

/** Puts a message; what is not given is made up from its number. */
export function putMail(store: MailStore, { frame, recipients = ['bob'], ...mail }: PutMail = {}): StoredMail {
  const seq = mail.seq ?? store.nextSeq();
  return store.put({
    seq,
    fromClientId: 'alice',
    msgId: `id-${seq}`,
    receipt: undefined,
    storedAtMs: steadyNowMs(),
    expiresAtMs: 4e12,
    recipients: [...recipients],
    frame: frame ?? Buffer.from(`frame ${seq} `.repeat(8)),
    ...mail,
  });
}

/** What a store holds, in a form that can be compared. */
export async function contentsOf(store: MailStore, opened: OpenedStore): Promise<unknown> {
  const frames = await store.read(opened.mails);
  return {
    mails: opened.mails.map((mail, index) => ({
      seq: mail.seq,
      from: mail.fromClientId,
      msgId: mail.msgId,
      receipt: mail.receipt,
      storedAtMs: mail.storedAtMs,
      expiresAtMs: mail.expiresAtMs,
      recipients: [...mail.recipients].sort(),
      attempts: Object.fromEntries(mail.attempts ?? []),
      frame: frames[index]?.toString(),
    })),
    facts: Object.fromEntries(opened.facts),
  };
}
