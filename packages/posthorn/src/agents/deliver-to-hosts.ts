import { Parcel } from '@posthorn/smtp/client/parcel';
import type { SendResult } from '@posthorn/smtp/client/send-result';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { AnswerContext } from '../queue/classify.ts';
import type { DeliveryJob } from '../queue/delivery-agent.ts';
import { type Outcome, sameOutcome } from '../queue/outcome.ts';
import type { Destination, Destinations } from './destinations.ts';
import { type Outgoing, OutgoingMessage, type Signer } from './outgoing.ts';
import { RelayAttempt } from './relay-attempt.ts';
import { newName, placeOf, type Share, sharesOf, transactionIdOf } from './shares.ts';
import { isTraced, isTracked } from './trace-of.ts';

/** One address to try, and what the host is called in reports. */
export interface Stop {
  readonly remoteHost: string;
  readonly destination: Destination;
  /** Nothing proves that it is a host of the domain. */
  readonly unproven?: true;
  /** Why it is not spoken to, as half a sentence. */
  readonly barred?: string;
}

/** How the hosts of one job are tried. */
export interface Journey {
  readonly stops: readonly Stop[];
  readonly destinations: Pick<Destinations, 'send'>;
  readonly now: () => number;
  readonly sign?: Signer | undefined;
  /** What a delivery means for reports of success, from whether the host offers DSN (RFC 3461 §5.2.2). */
  readonly handover: (dsn: boolean) => AnswerContext['handover'];
  /** Whether the mail itself fails when all hosts refuse all mail, or are this host; else it waits for better days. */
  readonly mayFail: boolean;
}

/** Tries one address after the other until each recipient is taken or refused for good (RFC 5321 §5.1). */
export async function deliverToHosts(job: DeliveryJob, journey: Journey): Promise<Outcome[]> {
  const { now } = journey;
  const message = await OutgoingMessage.of(job, journey);
  if (message.refusal !== undefined) {
    return sameOutcome(job.recipients.length, { kind: 'failed', ...message.refusal, at: now() });
  }
  const attempt = new RelayAttempt(job.recipients.length);
  for (const share of sharesOf(job)) await deliverShare(share, attempt, { message, job, journey });
  const untried: Outcome = { kind: 'deferred', status: '4.4.1', at: now(), text: 'No host was tried' };
  return attempt.outcomes(journey.mayFail, untried);
}

type Delivering = Pick<Sending, 'message' | 'job' | 'journey'>;

async function deliverShare(share: Share, attempt: RelayAttempt, delivering: Delivering): Promise<void> {
  const { job, journey } = delivering;
  const { now, handover } = journey;
  for (const stop of fromPlace(journey.stops, share.place)) {
    const open = attempt.open.filter((index) => share.indexes.includes(index));
    if (open.length === 0 || job.signal.aborted) return;
    // A name is for a transaction with certain recipients: with fewer it is another one.
    const name = share.name === undefined || open.length === share.indexes.length ? share.name : newName(job.envelope);
    const sending = { ...delivering, open, ...(name === undefined ? {} : { name }) };
    const result = whyBarred(stop, open) ?? whyNot(stop, job, open) ?? (await sendTo(stop, sending));
    attempt.take(open, result, {
      at: now(),
      remoteHost: stop.remoteHost,
      handover: handover(result.offered.has('DSN')),
      traced: isTraced(job.envelope, result.offered, now()),
      tracked: isTracked(job.envelope, result.offered, now()),
      ...(name === undefined ? {} : { unfinished: { name, place: placeOf(stop.destination.connect) } }),
    });
    if (endsSearch(job, result)) return;
  }
}

/** The host that may have the beginning comes first, if it is still one of them; nobody waits for it (RFC 1845 §3). */
function fromPlace(stops: readonly Stop[], place: string | undefined): readonly Stop[] {
  const first = stops.find(({ destination }) => placeOf(destination.connect) === place);
  return first === undefined ? stops : [first, ...stops.filter((stop) => stop !== first)];
}

/** A host that must not be spoken to counts as one that is not reached (RFC 7672 §2.1, RFC 8461 §5). */
function whyBarred({ barred, remoteHost, destination }: Stop, open: readonly number[]): SendResult | undefined {
  if (barred === undefined) return undefined;
  destination.observer?.barred();
  const failure = new Failure('tls', `No connection to ${remoteHost} is made: ${barred}`);
  const answer = { address: '', kind: 'deferred', phase: 'connect', failure } as const;
  return { ok: false, recipients: open.map(() => answer), offered: new Set() };
}

/** A name that nobody vouches for may be that of an attacker, whose certificate fits it (RFC 8689 §4.2.1). */
function whyNot({ unproven }: Stop, { envelope }: DeliveryJob, open: readonly number[]): SendResult | undefined {
  if (unproven !== true || envelope.requireTls !== true || envelope.reversePath === '') return undefined;
  const failure = new Failure(
    'tls',
    'The message needs a host that is proven to be one of the domain, and this is none',
  );
  const answer = { address: '', kind: 'refused', phase: 'mail', status: '5.7.10', failure } as const;
  return { ok: false, recipients: open.map(() => answer), offered: new Set() };
}

/** What has to come in time is not taken from host to host in search of one that promises it (RFC 2852 §7). */
function endsSearch({ envelope }: DeliveryJob, { recipients }: SendResult): boolean {
  return (
    envelope.deliverBy?.mode === 'R' &&
    recipients.some(({ reply, status }) => reply === undefined && (status === '5.3.3' || status === '5.4.7'))
  );
}

interface Sending {
  readonly open: readonly number[];
  /** What the transaction is called. */
  readonly name?: string;
  readonly message: OutgoingMessage;
  readonly job: DeliveryJob;
  readonly journey: Journey;
}

/** Sends to one host; a host that lacks 8BITMIME or BINARYMIME gets the message converted (RFC 6152 §3, RFC 3030 §3). */
async function sendTo(
  { destination, remoteHost }: Stop,
  { open, name, message, job, journey }: Sending,
): Promise<SendResult> {
  const send = ({ transaction, text, signed = '' }: Outgoing) => {
    const recipients = open.flatMap((index) => transaction.recipients[index] ?? []);
    const { body = '7BIT' } = transaction.mail;
    const named =
      name === undefined ? {} : { transactionId: transactionIdOf(`${name}${signed}`, body, destination.connect) };
    const parcel = new Parcel({ ...transaction, mail: { ...transaction.mail, ...named }, recipients }, text);
    if (name !== undefined && job.begun !== undefined) {
      const { begun } = job;
      const [place, at] = [placeOf(destination.connect), journey.now()];
      parcel.onBegun = (indexes) => {
        const unfinished = { name, place, recipients: indexes.length };
        const begunFor = indexes.flatMap((index) => job.recipients[open[index] ?? -1] ?? []);
        begun(begunFor, {
          kind: 'deferred',
          status: '4.4.2',
          at,
          remoteHost,
          text: 'The text is on its way',
          unfinished,
        });
      };
    }
    return journey.destinations.send(destination, parcel, { signal: job.signal });
  };
  const result = await send(await message.plain());
  if (!result.recipients.every(({ reply, status }) => reply === undefined && status === '5.6.3')) return result;
  const converted = await message.convertedFor(result.offered);
  if ('transaction' in converted) return send(converted);
  const { status, text } = converted;
  const failure = new Failure('invalid', text);
  return { ...result, recipients: result.recipients.map((recipient) => ({ ...recipient, status, failure })) };
}
