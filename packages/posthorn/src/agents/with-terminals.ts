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
  await Promise.all(
    delivered.map(async (recipient) =>
      parts.terminals.show(recipient.address, (await screenOf(recipient, job, parts)).text),
    ),
  );
  return [...outcomes];
}

async function showOrDeliver(agent: DeliveryAgent, job: DeliveryJob, parts: TerminalParts): Promise<Outcome[]> {
  const { recipients, envelope, earlier } = job;
  const isSend = envelope.verb === 'SEND';
  const screens = await Promise.all(recipients.map((recipient) => screenOf(recipient, job, parts)));
  // The text is the same for all; above it stands for whom it is.
  const extent = screens[0]?.extent ?? 'nothing';
  if (isSend && extent === 'nothing') return recipients.map(() => noText(parts.now()));
  // SOML has a better place for what a terminal cannot hold.
  const isFit = isSend || extent === 'whole';
  const shown = await Promise.all(
    recipients.map(({ address }, index) => isFit && parts.terminals.show(address, screens[index]?.text ?? '')),
  );
  const others = [...recipients.keys()].filter((index) => shown[index] !== true);
  const outcomes: Outcome[] = recipients.map(() => shownOutcome(parts.now(), extent === 'whole'));
  const pick = <T>(list: readonly T[]) => others.map((index) => list[index] as T);
  const rest = { ...job, recipients: pick(recipients), ...(earlier === undefined ? {} : { earlier: pick(earlier) }) };
  const left = isSend || others.length === 0 ? others.map(() => inactive(parts.now())) : await agent.deliver(rest);
  for (const [place, index] of others.entries()) outcomes[index] = left[place] as Outcome;
  return outcomes;
}

function screenOf({ address }: Recipient, { envelope, content }: DeliveryJob, { most }: TerminalParts) {
  return composeScreenText(envelope, { content, address, most });
}

/** What a terminal left out is gone: its sender is told, where it wants to know (RFC 3463 §3.7). */
function shownOutcome(at: number, isWhole: boolean): Outcome {
  const shown = { kind: 'delivered', at, handover: 'final' } as const;
  if (isWhole) return { ...shown, status: '2.1.5', text: 'shown on a terminal' };
  return { ...shown, status: '2.6.4', text: 'shown on a terminal, as far as it is text' };
}

function noText(at: number): Outcome {
  return { kind: 'failed', status: '5.6.1', at, text: 'A terminal shows text alone, and the message has none' };
}

/** The terminal was in use when RCPT asked: it may be again (RFC 821 §3.4). */
function inactive(at: number): Outcome {
  return { kind: 'deferred', status: '4.2.1', at, text: 'No terminal of the user takes messages now' };
}
