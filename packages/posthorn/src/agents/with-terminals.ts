import type { DeliveryAgent, DeliveryJob } from '../queue/delivery-agent.ts';
import type { Recipient } from '../queue/envelope.ts';
import type { Outcome } from '../queue/outcome.ts';
import { composeScreenText } from './screen-text.ts';
import type { Terminals } from './terminals.ts';

/** What mail for terminals is shown with. */
export interface TerminalParts {
  readonly terminals: Pick<Terminals, 'show'>;
  /** Octets of a message that are shown. */
  readonly most: number;
  readonly now: () => number;
}

/**
 * Lets mail that was given by SEND, SOML or SAML come to terminals: SEND to nothing else, SOML to the agent where no terminal
 * shows it, SAML to both, where the mailbox alone counts (RFC 821 §3.4). What an agent passes on to other hosts goes by MAIL:
 * the other verbs are not to be used by clients any more, and a mailbox is what SOML and SAML ask for, too (RFC 5321 §F.6).
 */
export function withTerminals(agent: DeliveryAgent, parts: TerminalParts): DeliveryAgent {
  return {
    async deliver(job) {
      switch (job.envelope.verb) {
        case undefined:
          return agent.deliver(job);
        case 'SAML':
          return deliverAndShow(agent, job, parts);
        default:
          return showOrDeliver(agent, job, parts);
      }
    },
    close: () => agent.close(),
  };
}

async function deliverAndShow(agent: DeliveryAgent, job: DeliveryJob, parts: TerminalParts): Promise<Outcome[]> {
  const outcomes = await agent.deliver(job);
  // What is tried again is shown then.
  const delivered = job.recipients.filter((_, index) => outcomes[index]?.kind === 'delivered');
  await Promise.all(delivered.map((recipient) => show(recipient, job, parts)));
  return [...outcomes];
}

async function showOrDeliver(agent: DeliveryAgent, job: DeliveryJob, parts: TerminalParts): Promise<Outcome[]> {
  const { recipients, envelope, content, earlier } = job;
  // SOML has a better place for what a terminal cannot hold.
  const isFit = envelope.verb === 'SEND' || content.size <= parts.most;
  const shown = await Promise.all(recipients.map((recipient) => isFit && show(recipient, job, parts)));
  const others = [...recipients.keys()].filter((index) => shown[index] !== true);
  const outcomes: Outcome[] = recipients.map(() => shownOutcome(parts.now()));
  const pick = <T>(list: readonly T[]) => others.map((index) => list[index] as T);
  const rest = { ...job, recipients: pick(recipients), ...(earlier === undefined ? {} : { earlier: pick(earlier) }) };
  const left =
    envelope.verb === 'SEND' || others.length === 0
      ? others.map(() => inactive(parts.now()))
      : await agent.deliver(rest);
  for (const [place, index] of others.entries()) outcomes[index] = left[place] as Outcome;
  return outcomes;
}

async function show({ address }: Recipient, { envelope, content }: DeliveryJob, parts: TerminalParts) {
  return parts.terminals.show(address, await composeScreenText(envelope, { content, address, most: parts.most }));
}

function shownOutcome(at: number): Outcome {
  return { kind: 'delivered', status: '2.1.5', at, handover: 'final', text: 'shown on a terminal' };
}

/** The terminal was in use when RCPT asked: it may be again (RFC 821 §3.4). */
function inactive(at: number): Outcome {
  return { kind: 'deferred', status: '4.2.1', at, text: 'No terminal of the user takes messages now' };
}
