import type { RecipientResult, SendResult } from '@posthorn/smtp/client/send-result';
import { type AnswerContext, classify, isFinal, refusesAll } from '../queue/classify.ts';
import type { Outcome, Unfinished } from '../queue/outcome.ts';
import { LoopFailure } from './destinations.ts';

interface Known {
  readonly answer: RecipientResult;
  readonly outcome: Outcome;
}

/** Who answered, and what its transaction was called. */
interface RelayContext extends AnswerContext {
  readonly unfinished?: Omit<Unfinished, 'recipients'>;
}

/** What the hosts tried so far said about each recipient of a job. */
export class RelayAttempt {
  readonly #known: (Known | undefined)[];
  /** Whether every host so far refused all mail for good. */
  #allRefuse = true;
  #loop: Outcome | undefined;

  constructor(recipients: number) {
    this.#known = new Array(recipients).fill(undefined);
  }

  /** The indexes of the recipients for which another host may be tried. */
  get open(): number[] {
    return [...this.#known.keys()].filter((index) => {
      const known = this.#known[index];
      return known === undefined || !isFinal(known.answer);
    });
  }

  /** Takes what a host said about the recipients with these indexes. */
  take(indexes: readonly number[], { recipients }: SendResult, context: RelayContext): void {
    const unfinished = unfinishedOf(recipients, context);
    for (const [place, index] of indexes.entries()) {
      const answer = recipients[place];
      if (answer === undefined) continue;
      if (!refusesAll(answer)) this.#allRefuse = false;
      const classified = classify(answer, context);
      const outcome = answer.transactionId === undefined ? classified : { ...classified, ...unfinished };
      if (answer.failure instanceof LoopFailure) this.#loop = outcome;
      if (isBetter(answer, this.#known[index]?.answer)) this.#known[index] = { answer, outcome };
    }
  }

  /** One outcome per recipient; `mayFail` says whether a host's refusal of all mail, and a loop, are the recipient's fault. */
  outcomes(mayFail: boolean, untried: Outcome): Outcome[] {
    return this.#known.map((known) => {
      if (known === undefined) return untried;
      if (known.outcome.kind === 'deferred' && mayFail) {
        if (this.#loop !== undefined) return { ...this.#loop, kind: 'failed', status: '5.4.6' };
        if (this.#allRefuse) return { ...known.outcome, kind: 'failed', status: '5.3.2' };
      }
      return known.answer.failure instanceof LoopFailure ? { ...known.outcome, status: '4.4.6' } : known.outcome;
    });
  }
}

function unfinishedOf(
  recipients: readonly RecipientResult[],
  { unfinished }: RelayContext,
): Pick<Outcome, 'unfinished'> {
  const count = recipients.filter(({ transactionId }) => transactionId !== undefined).length;
  return unfinished === undefined || count === 0 ? {} : { unfinished: { ...unfinished, recipients: count } };
}

/** What decides, then what came by a reply, tells more than a connection that did not come about. */
function isBetter(next: RecipientResult, present: RecipientResult | undefined): boolean {
  if (present === undefined || isFinal(next)) return true;
  // A host that cannot take the message at all gives way to one that may take it later.
  if (present.kind === 'refused') return next.kind === 'deferred';
  if (next.kind === 'refused') return false;
  return next.reply !== undefined || present.reply === undefined;
}
