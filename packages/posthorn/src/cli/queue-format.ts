import Table from 'cli-table3';
import type { Envelope } from '../queue/envelope.ts';
import type { Outcome } from '../queue/outcome.ts';
import type { QueuedMessage, RecipientState } from '../queue/queue-store.ts';
import { plainTable } from './plain-table.ts';
import { printable } from './terminal.ts';

/** Messages of one table: a long queue is shown table by table, not held. */
const perTable = 500;

/** A listing for people, in pieces: id, age, size, sender, recipients, state and the last that was said. */
export async function* formatList(messages: AsyncIterable<QueuedMessage>, now: number): AsyncIterable<string> {
  let rows: string[][] = [];
  let count = 0;
  const table = () => {
    const made = new Table({ ...plainTable, head: ['ID', 'AGE', 'SIZE', 'SENDER', 'RECIPIENTS', 'STATE', 'LAST'] });
    made.push(...rows);
    rows = [];
    return `${made.toString()}\n`;
  };
  for await (const message of messages) {
    rows.push(row(message, now));
    count += 1;
    if (rows.length === perTable) yield table();
  }
  if (rows.length > 0) yield table();
  yield count === 0 ? 'The queue is empty.\n' : `${count} ${count === 1 ? 'message' : 'messages'}\n`;
}

function row({ envelope, state }: QueuedMessage, now: number): string[] {
  const pending = envelope.recipients.filter((_, index) => state.recipients[index]?.kind === 'pending');
  const [first, ...others] = pending.length > 0 ? pending : envelope.recipients;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  const last = state.recipients.map(({ last: outcome }) => outcome).find((outcome) => outcome !== undefined);
  const said = last === undefined ? '' : describeOutcome(last);
  return [
    envelope.id,
    formatTime(now - envelope.receivedAt),
    String(envelope.size),
    formatSender(envelope.reversePath),
    `${first?.address ?? ''}${more}`,
    describeState(envelope, state, now),
    said.length > 80 ? `${said.slice(0, 79)}…` : said,
  ].map(printable);
}

/** All about one message, for people. */
export function formatMessage({ envelope, state }: QueuedMessage, now: number): string {
  const { origin } = envelope;
  const lines = [
    `Message    ${envelope.id}, ${envelope.size} octets`,
    `From       ${formatSender(envelope.reversePath)}`,
    `Received   ${new Date(envelope.receivedAt).toISOString()}, ${formatTime(now - envelope.receivedAt)} ago`,
    `Client     ${[origin.clientAddress, origin.helloName, origin.login].filter((part) => part !== undefined).join(', ')}`,
    `State      ${describeState(envelope, state, now)}`,
    ...describeWishes(envelope),
    ...(envelope.judgement?.findings.map((finding) => `Found      ${finding}`) ?? []),
    ...(envelope.judgement === undefined ? [] : [`Score      ${envelope.judgement.score}`]),
    ...envelope.recipients.map(
      ({ address }, index) => `To         ${address}: ${describeRecipient(state.recipients[index], now)}`,
    ),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function describeRecipient(state: RecipientState | undefined, now: number): string {
  if (state === undefined) return 'pending';
  const { kind, attempts, last, due } = state;
  const next = due === undefined || due <= now ? '' : `, next in ${formatTime(due - now)}`;
  const tries = attempts === 0 ? 'not tried yet' : `${attempts} ${attempts === 1 ? 'try' : 'tries'}${next}`;
  return last === undefined
    ? `${kind}, ${tries}`
    : `${kind}, ${tries}; ${new Date(last.at).toISOString()}: ${describeOutcome(last)}`;
}

function describeOutcome({ status, reply, remoteHost, text }: Outcome): string {
  const said = reply === undefined ? (text ?? '') : `${reply.code} ${reply.lines.join(' ')}`;
  return [remoteHost === undefined ? '' : `${remoteHost}:`, status, said].filter((part) => part !== '').join(' ');
}

function describeState({ heldUntil }: Envelope, { held, due }: QueuedMessage['state'], now: number): string {
  if (held) return 'held';
  if (heldUntil !== undefined && heldUntil > now) return `released in ${formatTime(heldUntil - now)}`;
  return due <= now ? 'due' : `due in ${formatTime(due - now)}`;
}

/** What its sender asked for. */
function describeWishes({ deliverBy, heldUntil, priority, solicit, requireTls, tlsOptional }: Envelope): string[] {
  const lines: string[] = [];
  if (heldUntil !== undefined) lines.push(`Release    ${new Date(heldUntil).toISOString()}`);
  if (deliverBy !== undefined) {
    const otherwise = deliverBy.mode === 'R' ? 'then it goes back' : 'then its sender is told';
    lines.push(`Deliver by ${new Date(deliverBy.until).toISOString()}, ${otherwise}`);
  }
  if (priority !== undefined) lines.push(`Priority   ${priority}`);
  if (solicit !== undefined) lines.push(`Solicits   ${solicit.join(', ')}`);
  if (requireTls) lines.push('TLS        required of every host on its way');
  if (tlsOptional) lines.push('TLS        not required, whatever the domain asks for');
  return lines;
}

function formatSender(reversePath: string): string {
  return reversePath === '' ? '<>' : reversePath;
}

/** A duration in its largest unit that makes a whole number of at least 1. */
function formatTime(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const;
  const [unit, length] = units.find(([, size]) => seconds >= size) ?? ['s', 1];
  return `${Math.floor(seconds / length)}${unit}`;
}
