import { createHash } from 'node:crypto';

/** One way of writing to the server: what a letter asks for, and what must come of it. */
export interface Kind {
  readonly recipient: string;
  /** What MAIL and RCPT say beside their paths. */
  readonly mail?: (number: number) => string;
  readonly rcpt?: string;
  /** Octets of its text, sent slowly where it is large. */
  readonly size?: number;
  /** Whether it goes on after a cut, under the same name (RFC 1845 §3). */
  readonly named?: true;
  /** Who is to have it in the end; `sender` is the one who wrote it, told of something. */
  readonly comesTo: readonly string[];
}

/** What the certifier of tracked messages is made from (RFC 3885 §3.1). */
export const secret = Buffer.from('5f0c7be1a94d2286f3b0117ce85d9a4463c2', 'hex');
const certifier = createHash('sha1').update(secret).digest('base64').replace(/=+$/, '');

/** What a tracked message is called. */
export const envelopeIdOf = (number: number): string => `t${number}@sender.example`;

const good: Kind = { recipient: 'good@far.example', comesTo: ['good'] };

/** What sessions over TCP write, in turn. */
export const letters: readonly Kind[] = [
  good,
  { recipient: 'defer@far.example', comesTo: ['defer'] },
  { recipient: 'bounce@far.example', comesTo: ['sender'] },
  good,
  { recipient: 'team@here.example', comesTo: ['m1', 'm2'] },
  { recipient: 'pair@here.example', rcpt: ' NOTIFY=SUCCESS', comesTo: ['p1', 'p2', 'sender'] },
  good,
  { recipient: 'away@here.example', comesTo: ['away', 'sender'] },
  { recipient: 'good@far.example', mail: (at) => ` ENVID=${envelopeIdOf(at)} MTRK=${certifier}`, comesTo: ['good'] },
  { recipient: 'defer@far.example', mail: (at) => ` MT-PRIORITY=${(at % 19) - 9}`, comesTo: ['defer'] },
];

/** What is cut off in its text, and gone on with. */
export const named: readonly Kind[] = [
  {
    recipient: 'named@far.example',
    mail: (at) => ` TRANSID=<n${at}@sender.example>`,
    size: 600_000,
    named: true,
    comesTo: ['named'],
  },
];

/** What is handed in to be sent later. */
export const held: readonly Kind[] = [
  { recipient: 'held@far.example', mail: () => ' HOLDFOR=1', comesTo: ['held'] },
  { recipient: 'defer@far.example', mail: () => ' HOLDFOR=1', comesTo: ['defer'] },
];

export const isTracked = ({ mail }: Kind): boolean => mail?.(0).includes('MTRK') === true;

const line = `${'x'.repeat(70)}\r\n`;

/** The text of a letter. */
export function textOf(number: number, { recipient, size = line.length }: Kind): string {
  const header = `From: <n${number}@sender.example>\r\nTo: <${recipient}>\r\nSubject: number ${number}\r\n`;
  return `${header}\r\n${line.repeat(Math.ceil(size / line.length))}`;
}
