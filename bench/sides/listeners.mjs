// @ts-check

/** @typedef {{ readonly count: number, readonly matching: number }} ListenerCounts */

/**
 * A provider with listeners that count. Those that do not match want another type, or another sender, in turn.
 *
 * @param {(options: object) => MethodDecorator} MessageListener
 * @param {ListenerCounts} [counts]
 */
export function countingListeners(MessageListener, { count, matching } = { count: 0, matching: 0 }) {
  let heard = 0;
  class Listeners {}
  for (let i = 0; i < count; i++) {
    const name = `listener${i}`;
    const descriptor = { value: () => void heard++, writable: true, configurable: true };
    const others = i % 2 === 0 ? { msgType: 'json' } : { msgType: 'text', fromClientId: `somebody-else-${i}` };
    // plain JavaScript has no decorators yet
    MessageListener(i < matching ? { msgType: 'text' } : others)(Listeners.prototype, name, descriptor);
    Object.defineProperty(Listeners.prototype, name, descriptor);
  }
  return { Listeners, heard: () => heard };
}
