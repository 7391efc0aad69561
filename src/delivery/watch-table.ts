const NOBODY: ReadonlySet<string> = new Set();

/** Who watches what. Asking for the watchers of one thing costs the same however much is watched. */
export class WatchTable {
  readonly #watchersOf = new Map<string, Set<string>>();
  readonly #watchedBy = new Map<string, Set<string>>();

  /** What one watcher watches. */
  watchedBy(watcher: string): ReadonlySet<string> {
    return this.#watchedBy.get(watcher) ?? NOBODY;
  }

  watchersOf(target: string): ReadonlySet<string> {
    return this.#watchersOf.get(target) ?? NOBODY;
  }

  add(watcher: string, target: string): void {
    put(this.#watchersOf, target, watcher);
    put(this.#watchedBy, watcher, target);
  }

  remove(watcher: string, target: string): void {
    drop(this.#watchersOf, target, watcher);
    drop(this.#watchedBy, watcher, target);
  }

  /** Forgets all that one watcher watches. */
  removeWatcher(watcher: string): void {
    for (const target of this.watchedBy(watcher)) drop(this.#watchersOf, target, watcher);
    this.#watchedBy.delete(watcher);
  }
}

function put(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}

function drop(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  values?.delete(value);
  if (values?.size === 0) map.delete(key);
}
