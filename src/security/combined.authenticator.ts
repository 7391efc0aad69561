import { Authenticator, type AuthDecision, type AuthRequest, type UpgradeRequest } from './authenticator.js';

/** Asks several in their order; the first that lets in decides. One that throws ends it: nobody is let in then. */
export class CombinedAuthenticator extends Authenticator {
  constructor(private readonly authenticators: readonly Authenticator[]) {
    super();
  }

  override get description(): string {
    return this.authenticators.map(({ description }: Partial<Authenticator>) => description ?? 'an authenticator of the application').join(', ');
  }

  override authenticate(request: AuthRequest): AuthDecision | Promise<AuthDecision> {
    return this.#from(0, request, { allowed: false });
  }

  override refusesUpgrade(request: UpgradeRequest): boolean {
    // an application may give an object that has authenticate() only
    return this.authenticators.every((authenticator: Partial<Authenticator>) => authenticator.refusesUpgrade?.(request) === true);
  }

  /** Asks from one of them on; at once, as long as they answer at once. */
  #from(first: number, request: AuthRequest, refused: AuthDecision): AuthDecision | Promise<AuthDecision> {
    let answer = refused;
    for (let n = first; n < this.authenticators.length; n++) {
      const decision = (this.authenticators[n] as Authenticator).authenticate(request);
      if (decision instanceof Promise) return decision.then((late) => (isYes(late) ? late : this.#from(n + 1, request, moreTelling(answer, late))));
      if (isYes(decision)) return decision;
      answer = moreTelling(answer, decision);
    }
    return answer;
  }
}

/** What is no decision at all goes on to the caller, which deals with it. */
function isYes(decision: AuthDecision | undefined): boolean {
  return typeof decision?.allowed !== 'boolean' || decision.allowed;
}

function moreTelling(one: AuthDecision, other: AuthDecision): AuthDecision {
  return one.reason === undefined ? other : one;
}
