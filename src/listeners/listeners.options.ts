import { IsInt, Min } from 'class-validator';

/** How the hub runs its own `@MessageListener` methods. */
export class ListenersOptions {
  /**
   * Senders whose messages are being listened to at the same time. Messages of one sender always run one after
   * another, in order. Default 64.
   */
  @IsInt()
  @Min(1)
  maxConcurrentListeners: number = 64;

  /**
   * Messages that wait for listeners, over all senders. Listeners never slow down the relay: beyond this bound they
   * miss messages, which is logged and counted, while the addressed clients still get every one. Default 10,000.
   */
  @IsInt()
  @Min(1)
  maxPendingListenerMessages: number = 10_000;
}
