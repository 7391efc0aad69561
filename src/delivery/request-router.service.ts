import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { observeOn, queueScheduler } from 'rxjs';
import { ClientRegistry, OutboundMessage, fromServer, sendError, type Connection } from '../clients/index.js';
import { CrossCommError, MAX_MSG_ID_LENGTH, SERVER_ID, messageId, parseRequest, replyTo, type CancelContent, type Envelope } from '../protocol/index.js';
import { DeliveryOptions } from './delivery.options.js';
import { PendingRequests, type Responder, type Requester, type PendingRequest } from './pending-requests.js';

/** How often it is looked for requests whose time is over, in milliseconds. */
const SWEEP_MS = 50;

/** How the requests between clients are doing. */
export interface RequestStats {
  /** Requests that wait for their answer. */
  readonly pending: number;
  /** Answers that came too late, or to no request, and were dropped. */
  readonly droppedAnswers: number;
}

/** A frame and what it says. */
export interface InboundFrame {
  readonly envelope: Envelope;
  /** The sender's own frame as UTF-8 text, forwarded as it is. */
  readonly frame?: Buffer | undefined;
}

/**
 * Requests on their way from who asks to who answers. Each ends exactly once: by its answer, by an error that says why
 * there is none, or silently when the requester takes it back or leaves. One sweep gives up those whose time is over; it
 * runs only while there are some.
 */
@Injectable()
export class RequestRouter implements OnModuleDestroy {
  readonly #pending = new PendingRequests();
  #sweep: NodeJS.Timeout | undefined;
  #droppedAnswers = 0;

  constructor(
    private readonly registry: ClientRegistry,
    private readonly options: DeliveryOptions,
  ) {
    // one after another: telling one client may make another leave
    registry.events.pipe(observeOn(queueScheduler)).subscribe((event) => {
      if (event.type === 'left' || event.takeover) this.#sessionEnded(event.clientId);
    });
  }

  get stats(): RequestStats {
    return { pending: this.#pending.size, droppedAnswers: this.#droppedAnswers };
  }

  /** The application closes: whoever left has been told. */
  onModuleDestroy(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  /** One who asks through its connection. */
  requesterAt(connection: Connection, clientId: string): Requester {
    return {
      clientId,
      onAnswer: (answer) => connection.send(answer),
      onFailure: (error, msgId) => sendError(connection, error, msgId),
    };
  }

  /**
   * Sends a request on to the client it is for.
   * @throws CrossCommError when it cannot be answered: `CC_INVALID_CONTENT`, `CC_LIMIT_REACHED`, `CC_UNKNOWN_CLIENT`,
   *   `CC_UNSUPPORTED`, `CC_RECEIVER_LIMIT`; nothing is pending then
   */
  request(requester: Requester, { envelope, frame }: InboundFrame): PendingRequest {
    const { toClientId, msgId, content } = envelope;
    const { timeout_ms } = parseRequest(content);
    const data = { to_client_id: toClientId.slice(0, 256) };
    const receiver = this.registry.find(toClientId)?.connection;
    if (receiver === undefined) throw new CrossCommError('CC_UNKNOWN_CLIENT', { data });
    const request = this.#prepare(requester, { clientId: toClientId, onCancel: () => sendCancel(receiver, request) }, msgId, timeout_ms);
    if (!receiver.can('calls'))
      throw new CrossCommError('CC_UNSUPPORTED', { detail: 'The client does not answer requests.', data });
    const outcome = receiver.send(new OutboundMessage(envelope, frame));
    if (outcome !== 'sent') throw new CrossCommError(outcome === 'too-large' ? 'CC_RECEIVER_LIMIT' : 'CC_UNKNOWN_CLIENT', { data });
    this.#begin(request);
    return request;
  }

  /**
   * Notes a request that is answered in this process.
   * @throws CrossCommError `CC_INVALID_CONTENT`, `CC_LIMIT_REACHED`; nothing is pending then
   */
  begin(requester: Requester, responder: Responder, { msgId, content }: Envelope): PendingRequest {
    const request = this.#prepare(requester, responder, msgId, parseRequest(content).timeout_ms);
    this.#begin(request);
    return request;
  }

  /** Ends a request that is answered in this process. @returns false when nobody waits for the answer any more */
  end(request: PendingRequest): boolean {
    if (this.#pending.take(request)) return true;
    this.#droppedAnswers++;
    return false;
  }

  /**
   * Sends an answer on to who asked. One that nobody waits for is dropped and counted.
   * @throws CrossCommError `CC_INVALID_CONTENT` when it does not say what it answers
   */
  respond({ envelope, frame }: InboundFrame): void {
    const { fromClientId, toClientId, content } = envelope;
    const id = replyTo(content);
    if (id === undefined) throw new CrossCommError('CC_INVALID_CONTENT', 'A response needs {"reply_to": string, "data" or "error"}.');
    const request = this.#pending.find(toClientId, id);
    if (request?.responder.clientId !== fromClientId) {
      this.#droppedAnswers++;
      return;
    }
    this.#pending.take(request);
    if (request.requester.onAnswer(new OutboundMessage(envelope, frame)) === 'too-large')
      request.requester.onFailure(new CrossCommError('CC_RECEIVER_LIMIT', 'The answer is too large.'), id);
  }

  /**
   * Takes a request back, and tells who was to answer it. One that has ended already is left alone.
   * @throws CrossCommError `CC_INVALID_CONTENT` when it does not say which
   */
  cancel({ envelope, frame }: InboundFrame): void {
    const { fromClientId, toClientId, content } = envelope;
    const id = replyTo(content);
    if (id === undefined) throw new CrossCommError('CC_INVALID_CONTENT', 'A cancel needs {"reply_to": string}.');
    const request = this.#pending.find(fromClientId, id);
    if (request?.responder.clientId !== toClientId) return;
    this.#pending.take(request);
    if (toClientId === SERVER_ID) request.responder.onCancel();
    else this.registry.find(toClientId)?.connection.send(new OutboundMessage(envelope, frame));
  }

  /** Takes a request of this process back. */
  abandon(request: PendingRequest): void {
    if (this.#pending.take(request)) request.responder.onCancel();
  }

  #prepare(requester: Requester, responder: Responder, msgId: string, timeoutMs: number | undefined): PendingRequest {
    const { maxPendingRequests, maxRequestMs } = this.options;
    if (msgId.length > MAX_MSG_ID_LENGTH) throw new CrossCommError('CC_INVALID_CONTENT', `The msg_id of a request has at most ${MAX_MSG_ID_LENGTH} characters.`);
    if (this.#pending.find(requester.clientId, msgId) !== undefined)
      throw new CrossCommError('CC_INVALID_CONTENT', 'A request with this msg_id is waiting for its answer already.');
    // the hub's own application bounds itself
    if (requester.clientId !== SERVER_ID && this.#pending.countOf(requester.clientId) >= maxPendingRequests)
      throw new CrossCommError('CC_LIMIT_REACHED', { detail: 'Too many requests wait for their answer.', data: { limit: 'maxPendingRequests', value: maxPendingRequests } });
    return { requester, responder, msgId, deadlineMs: performance.now() + Math.min(timeoutMs ?? maxRequestMs, maxRequestMs) };
  }

  #begin(request: PendingRequest): void {
    this.#pending.add(request);
    this.#sweep ??= setInterval(() => this.#giveUp(), SWEEP_MS).unref();
  }

  #giveUp(): void {
    for (const request of this.#pending.takeDue(performance.now())) {
      request.requester.onFailure(new CrossCommError('CC_TIMEOUT'), request.msgId);
      request.responder.onCancel();
    }
    if (this.#pending.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  /** What a client asked is not wanted any more, and what it was asked will not be answered. */
  #sessionEnded(clientId: string): void {
    for (const request of this.#pending.takeOfRequester(clientId)) request.responder.onCancel();
    const error = new CrossCommError('CC_UNKNOWN_CLIENT', { detail: 'The client left before it answered.', data: { to_client_id: clientId } });
    for (const { requester, msgId } of this.#pending.takeOfResponder(clientId)) requester.onFailure(error, msgId);
  }
}

/** In the name of who asked: for the receiver it is all one how the request was given up. */
function sendCancel(receiver: Connection, { requester, responder, msgId }: PendingRequest): void {
  const content: CancelContent = { reply_to: msgId };
  const { envelope } = fromServer('cancel', responder.clientId, content);
  const id = messageId(requester.clientId, Date.now(), envelope.msgId.slice(-8));
  receiver.send(new OutboundMessage({ ...envelope, msgId: id, fromClientId: requester.clientId }));
}
