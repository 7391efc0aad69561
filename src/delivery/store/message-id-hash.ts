/**
 * 96 bits that stand for a message id among those of one sender. Also kept on disk: the function must stay as it is.
 * The last result stays in `a`, `b` and `c`, so that nothing is allocated.
 */
export class MessageIdHash {
  a = 0;
  b = 0;
  c = 0;
  #last: string | undefined;

  /** Hashes `msgId` unless it was the last one anyway. */
  of(msgId: string): void {
    if (msgId === this.#last) return;
    this.#last = msgId;
    let a = 0x811c9dc5;
    let b = 0x2f7a3b1d;
    let c = 0x6c62272e;
    for (let index = 0; index < msgId.length; index++) {
      const code = msgId.charCodeAt(index);
      a = Math.imul(a ^ code, 0x9e3779b1);
      b = Math.imul(b ^ code, 0x85ebca77);
      c = Math.imul(c ^ code, 0xc2b2ae3d);
    }
    const { length } = msgId;
    a = mix(a ^ length ^ rotated(c));
    b = mix(b ^ length ^ rotated(a));
    c = mix(c ^ length ^ rotated(b));
    this.a = a;
    this.b = b;
    this.c = c;
  }

  /** Takes over a hash as it was kept. */
  set(a: number, b: number, c: number): void {
    this.#last = undefined;
    this.a = a;
    this.b = b;
    this.c = c;
  }
}

function rotated(value: number): number {
  return (value << 13) | (value >>> 19);
}

/** Each bit of the input reaches each of the output. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
