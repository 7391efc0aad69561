/** What is remembered of one client. */
export interface PresenceRecord {
  readonly status: 'online' | 'offline';
  /** Unix seconds. */
  readonly lastSeen: number;
}

/** Where presence outlives the process. Users may provide their own in place of the YAML file. */
export abstract class PresenceStore {
  /** Reads what earlier runs left. Never fails: what cannot be read is reported and kept aside. */
  abstract load(): Promise<ReadonlyMap<string, PresenceRecord>>;

  /** Says that presence changed; the store asks `snapshot` for the records when it gets to writing. */
  abstract changed(snapshot: () => Iterable<readonly [string, PresenceRecord]>): void;

  /** Writes what is still unwritten. */
  abstract flush(): Promise<void>;
}

/** Remembers nothing; for `persistPresence: false` and tests. */
export class NoPresenceStore extends PresenceStore {
  override load(): Promise<ReadonlyMap<string, PresenceRecord>> {
    return Promise.resolve(new Map());
  }

  override changed(): void {}

  override flush(): Promise<void> {
    return Promise.resolve();
  }
}
