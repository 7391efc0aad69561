import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ClientRegistry, ClientsOptions, Connection, type SendOutcome } from '../../src/clients/index.js';
import { NoPresenceStore } from '../../src/clients/presence-store.js';
import { DeliveryOptions, GroupRegistry, type GroupChange } from '../../src/delivery/index.js';

const MAX_GROUPS = 3;
const MAX_PER_CLIENT = 2;
const clients = ['a', 'b', 'c'];
const groups = ['g', 'h', 'i', 'j'];

/** A connection without a socket. */
class NoSocket extends Connection {
  override readonly transport = 'test';
  override readonly remoteAddress = '192.0.2.1';
  override readonly bufferedBytes = 0;
  override readonly maxReceiveBytes = 1_048_576;
  override readonly isReadingStopped = false;

  override stopReading(): void {}

  override continueReading(): void {}

  override send(): SendOutcome {
    return 'sent';
  }

  override close(): void {}
}

const client = fc.constantFrom(...clients);
const group = fc.constantFrom(...groups);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('join' as const), client, group, isDurable: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), client, group }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('disconnect' as const, 'takeover' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

/** Memberships as `group client` with whether they are durable. */
type Model = Map<string, boolean>;

const ofModel = (model: Model, which: (group: string, client: string) => boolean): string[] =>
  [...model.keys()].filter((key) => which(...(key.split(' ') as [string, string])));

describe('The group registry', () => {
  test('agrees with a map, over disconnects, takeovers and restarts', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const facts = new Map<string, string>();
        const port = { set: (key: string, value: string | undefined) => void (value === undefined ? facts.delete(key) : facts.set(key, value)), flush: () => Promise.resolve() };
        let changes: GroupChange[] = [];
        const start = (): { registry: ClientRegistry; tested: GroupRegistry; login: (id: string) => Connection } => {
          const registry = new ClientRegistry(new ClientsOptions(), new NoPresenceStore());
          const tested = new GroupRegistry(registry, Object.assign(new DeliveryOptions(), { maxGroups: MAX_GROUPS, maxGroupsPerClient: MAX_PER_CLIENT }));
          tested.restore(new Map([['mailbox:x', '']]), port);
          tested.restore(facts, port);
          tested.changes.subscribe((change) => changes.push(change));
          const login = (id: string): Connection => {
            const connection = new NoSocket();
            registry.opened(connection);
            registry.login(id, connection);
            return connection;
          };
          for (const id of clients) login(id);
          return { registry, tested, login };
        };
        let running = start();
        const model: Model = new Map();
        const endSession = (id: string): string[] => {
          const ended = ofModel(model, (_, member) => member === id).filter((key) => model.get(key) === false);
          for (const key of ended) model.delete(key);
          return ended;
        };

        for (const action of steps) {
          changes = [];
          let expected: string[] = [];
          const { registry, tested, login } = running;
          switch (action.kind) {
            case 'join': {
              const key = `${action.group} ${action.client}`;
              const known = model.has(key);
              const isFull =
                !known &&
                ((ofModel(model, (name) => name === action.group).length === 0 && new Set(ofModel(model, () => true).map((each) => each[0])).size >= MAX_GROUPS) ||
                  ofModel(model, (_, member) => member === action.client).length >= MAX_PER_CLIENT);
              const join = (): unknown => tested.join(action.group, action.client, action.isDurable);
              if (isFull) expect(join).toThrow(expect.objectContaining({ code: 'CC_LIMIT_REACHED' }));
              else {
                model.set(key, model.get(key) === true || action.isDurable);
                expect(join()).toEqual({ clientId: action.client, isDurable: model.get(key) });
                if (!known) expected = [`joined ${key} undefined`];
              }
              break;
            }
            case 'leave': {
              const key = `${action.group} ${action.client}`;
              const known = model.delete(key);
              expect(tested.leave(action.group, action.client)).toBe(known);
              if (known) expected = [`left ${key} leave`];
              break;
            }
            case 'disconnect': {
              registry.closed(registry.find(action.client)?.connection as Connection, 'closed');
              expected = endSession(action.client).map((key) => `left ${key} closed`);
              login(action.client);
              break;
            }
            case 'takeover': {
              expected = endSession(action.client).map((key) => `left ${key} takeover`);
              login(action.client);
              break;
            }
            default:
              for (const id of clients) endSession(id);
              running = start();
          }
          expect(new Set(changes.map(({ change, group: name, clientId, why }) => `${change} ${name} ${clientId} ${why}`))).toEqual(new Set(expected));
          expect(changes).toHaveLength(expected.length);
          for (const name of groups) {
            const members = [...running.tested.members(name)];
            expect(Object.fromEntries(members.map(({ clientId, isDurable }) => [`${name} ${clientId}`, isDurable]))).toEqual(
              Object.fromEntries([...model].filter(([key]) => key.startsWith(`${name} `))),
            );
            expect(running.tested.memberCount(name)).toBe(members.length);
          }
          for (const id of clients)
            expect(new Set([...running.tested.groupsOf(id)].map((own) => own.group))).toEqual(new Set(ofModel(model, (_, member) => member === id).map((key) => key[0])));
          expect(running.tested.groupCount).toBe(new Set([...model.keys()].map((key) => key[0])).size);
          expect(new Set(facts.keys())).toEqual(new Set([...model].filter(([, isDurable]) => isDurable).map(([key]) => `member:${key.replace(' ', '\0')}`)));
        }
      }),
      { numRuns: 300 },
    );
  });
});
