import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { PendingRequests, type PendingRequest } from '../../src/delivery/pending-requests.js';

const id = fc.constantFrom('a', 'b', 'c');
const msgId = fc.constantFrom('1', '2', '3', '4');
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), asker: id, answerer: id, msgId, timeoutMs: fc.integer({ min: 0, max: 400 }) }),
  fc.record({ kind: fc.constant('take' as const), asker: id, msgId }),
  fc.record({ kind: fc.constant('leave' as const), who: id }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.integer({ min: 0, max: 120 }), fc.constant(1_000_000)) }),
);

function newRequest(asker: string, answerer: string, ofMsg: string, deadlineMs: number): PendingRequest {
  return {
    requester: { clientId: asker, onAnswer: () => 'sent', onFailure: () => undefined },
    responder: { clientId: answerer, onCancel: () => undefined },
    msgId: ofMsg,
    deadlineMs,
  };
}

describe('Pending requests', () => {
  test('agree with a list, whatever is added, taken, left and waited for', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pending = new PendingRequests();
        let model: PendingRequest[] = [];
        let nowMs = 1_000;
        const gone = (taken: PendingRequest[], expected: PendingRequest[]): void => {
          expect(new Set(taken)).toEqual(new Set(expected));
          expect(taken).toHaveLength(expected.length);
          model = model.filter((request) => !expected.includes(request));
        };
        for (const action of steps) {
          switch (action.kind) {
            case 'add': {
              if (pending.find(action.asker, action.msgId) !== undefined) break;
              const request = newRequest(action.asker, action.answerer, action.msgId, nowMs + action.timeoutMs);
              pending.add(request);
              model.push(request);
              break;
            }
            case 'take': {
              const request = pending.find(action.asker, action.msgId);
              expect(request).toBe(model.find(({ requester, msgId: ofMsg }) => requester.clientId === action.asker && ofMsg === action.msgId));
              if (request === undefined) break;
              expect([pending.take(request), pending.take(request)]).toEqual([true, false]);
              model = model.filter((other) => other !== request);
              break;
            }
            case 'leave':
              gone(pending.takeOfRequester(action.who), model.filter(({ requester }) => requester.clientId === action.who));
              gone(pending.takeOfResponder(action.who), model.filter(({ responder }) => responder.clientId === action.who));
              break;
            case 'wait': {
              nowMs += action.ms;
              const due = pending.takeDue(nowMs);
              // at most one slice late, and never early
              const mustBeDue = model.filter(({ deadlineMs }) => deadlineMs + 50 <= nowMs);
              expect(due).toEqual(expect.arrayContaining(mustBeDue));
              expect(due.every(({ deadlineMs }) => deadlineMs <= nowMs)).toBe(true);
              gone(due, due);
            }
          }
          expect(pending.size).toBe(model.length);
          for (const client of ['a', 'b', 'c']) expect(pending.countOf(client)).toBe(model.filter(({ requester }) => requester.clientId === client).length);
        }
      }),
      { numRuns: 500 },
    );
  });
});
