import { createHash } from 'node:crypto';
import type { NamedMailbox } from '@posthorn/smtp/message/address-list';
import { composeAutoReply } from '@posthorn/smtp/message/auto-reply';
import { whyNoAutoReply } from '@posthorn/smtp/message/auto-reply-rules';
import type { DeliveryAgent, DeliveryJob } from '../queue/delivery-agent.ts';
import type { Recipient } from '../queue/envelope.ts';
import type { Outcome } from '../queue/outcome.ts';
import type { Content, NewMessage } from '../queue/queue-store.ts';
import { collectHeader } from './final-text.ts';
import { composeOwnMail, type OwnMail, type OwnMailParts } from './own-mail.ts';

/** The answer that a user who is away leaves behind (RFC 3834 §3). */
export interface Vacation {
  /** Her mailbox, `local@domain`. */
  readonly mailbox: string;
  readonly from: NamedMailbox;
  readonly text: string;
  readonly subject?: string;
  /** Milliseconds for which the same person gets no second answer. */
  readonly interval: number;
  /** Whether an address, `local@domain`, is one of hers. */
  isOwn(address: string): boolean;
}

/** What automatic replies are written with. */
export interface AutoReplyParts extends OwnMailParts {
  /** The answer for mail to an address; undefined when nothing answers there now. */
  readonly vacationOf: (address: string) => Vacation | undefined;
  /** Who gets the mail for these addresses in the end: aliases are replaced. */
  readonly expand: (addresses: readonly string[]) => readonly Recipient[];
  /** Octets of chance. */
  readonly random: (octets: number) => Buffer;
}

/**
 * Lets an agent's deliveries be answered for users that are away. The answer is stored, and whom it went to remembered, in
 * the transaction that settles the delivery (RFC 3834 §2).
 */
export function withAutoReplies(agent: DeliveryAgent, parts: AutoReplyParts): DeliveryAgent {
  return {
    async deliver(job) {
      const outcomes = await agent.deliver(job);
      const away = job.recipients.map(({ address }) => parts.vacationOf(address));
      if (job.envelope.reversePath === '' || away.every((each) => each === undefined)) return outcomes;
      const header = await readHeader(job.content);
      if (header === undefined) return outcomes;
      return outcomes.map((outcome, index) => withReply(outcome, away[index], { job, header, parts }));
    },
    close: () => agent.close(),
  };
}

/** What cannot be read any more is not answered: the delivery is done. */
async function readHeader(content: Content): Promise<Buffer | undefined> {
  try {
    return (await collectHeader(content)).header;
  } catch {
    return undefined;
  }
}

interface Answering {
  readonly job: DeliveryJob;
  readonly header: Buffer;
  readonly parts: AutoReplyParts;
}

function withReply(outcome: Outcome, vacation: Vacation | undefined, { job, header, parts }: Answering): Outcome {
  const { reversePath } = job.envelope;
  if (outcome.kind !== 'delivered' || vacation === undefined) return outcome;
  if (whyNoAutoReply({ header, reversePath, isOwn: vacation.isOwn }) !== undefined) return outcome;
  return { ...outcome, causes: [...(outcome.causes ?? []), reply(vacation, reversePath, { header, parts })] };
}

function reply(
  vacation: Vacation,
  reversePath: string,
  { header, parts }: Pick<Answering, 'header' | 'parts'>,
): NewMessage {
  const { from, text, subject, interval } = vacation;
  const now = parts.now();
  const { content, smtputf8 } = composeAutoReply({
    header,
    reversePath,
    from,
    text,
    ...(subject === undefined ? {} : { subject }),
    now,
    offsetMinutes: -new Date(now).getTimezoneOffset(),
    random: parts.random,
  });
  const recipients = parts.expand([reversePath]);
  const mail: OwnMail = {
    reversePath: '',
    recipients: (recipients.length === 0 ? [{ address: reversePath }] : recipients).map((each) => ({
      ...each,
      notify: [],
    })),
    body: '7BIT',
    smtputf8,
  };
  return {
    ...composeOwnMail(mail, [content], parts),
    once: { key: onceKey(vacation, reversePath), until: now + interval },
  };
}

/** Another text is another answer (RFC 3834 §2). */
function onceKey({ mailbox, text, subject = '' }: Vacation, reversePath: string): string {
  const facts = JSON.stringify([mailbox.toLowerCase(), reversePath.toLowerCase(), subject, text]);
  return `vacation ${createHash('sha256').update(facts).digest('hex').slice(0, 40)}`;
}
