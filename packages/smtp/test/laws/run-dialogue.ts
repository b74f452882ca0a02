import { expect } from 'vitest';
import type { Dialogue, Line } from './dialogue.ts';

/** The machine under test, seen from the far end of its connection. */
export interface Peer {
  /** Hands octets to the machine. */
  send(octets: Buffer): void | Promise<void>;
  /** The next line that the machine says, without CRLF. */
  line(): string | Promise<string>;
  /** An event of the file: `tls`, `close`, `clock 300` … */
  event(event: string): void | Promise<void>;
  /** Octets said and not read yet, once the machine has had time to say them. */
  rest(): string | Promise<string>;
}

/** Which end the harness plays, and where its octets are cut: after one of them, after each, or nowhere. */
export interface Run {
  readonly plays: 'C' | 'S';
  readonly peer: Peer;
  readonly cut?: number | 'each';
}

/** Octets that the harness sends in the whole dialogue. */
export function sentBy(dialogue: Dialogue, end: 'C' | 'S'): number {
  let octets = 0;
  for (const step of dialogue.steps) if (step.by === end) for (const line of step.lines) octets += line.octets.length;
  return octets;
}

/** Plays one end of a dialogue, and checks what the machine at the other end says. */
export async function runDialogue(dialogue: Dialogue, { plays, peer, cut }: Run): Promise<void> {
  let sent = 0;
  for (const step of dialogue.steps) {
    if (step.by === 'X') await peer.event(step.event);
    else if (step.by === plays) {
      const octets = Buffer.concat(step.lines.map((line) => line.octets));
      for (const piece of cutAt(octets, cut === 'each' ? cut : (cut ?? 0) - sent)) await peer.send(piece);
      sent += octets.length;
    } else if (plays === 'C') await expectReplies(step.lines, peer);
    else for (const line of step.lines) expectEqual(`${await peer.line()}\r\n`, line.octets.toString('utf8'));
  }
  expect(await peer.rest(), 'said, but not in the dialogue').toBe('');
}

function cutAt(octets: Buffer, at: number | 'each'): Buffer[] {
  if (at === 'each') return [...octets].map((octet) => Buffer.from([octet]));
  if (at <= 0 || at >= octets.length) return [Buffer.from(octets)];
  return [Buffer.from(octets.subarray(0, at)), Buffer.from(octets.subarray(at))];
}

function isReply({ octets }: Line): boolean {
  return /^[2-5]\d\d[ -]/.test(octets.toString('latin1', 0, 4));
}

interface ReadReply {
  readonly lines: readonly string[];
}

async function expectReplies(lines: readonly Line[], peer: Peer): Promise<void> {
  const golden = [...lines];
  while (golden.length > 0) {
    const wanted: Line[] = [];
    // When the roles have turned, the end that accepted the connection gives commands, and says the text.
    if (!isReply(golden[0] as Line)) {
      expectEqual(`${await peer.line()}\r\n`, (golden.shift() as Line).octets.toString('utf8'));
      continue;
    }
    do wanted.push(golden.shift() as Line);
    while (golden.length > 0 && wanted.at(-1)?.octets[3] === 0x2d);
    compare(await readReply(peer), wanted);
  }
}

async function readReply(peer: Peer): Promise<ReadReply> {
  const lines = [await peer.line()];
  while (lines.at(-1)?.[3] === '-') lines.push(await peer.line());
  return { lines };
}

function codesOf(line: string): { code: string; status: string } {
  return { code: line.slice(0, 3), status: /^[245]\.\d{1,3}\.\d{1,3}(?= |$)/.exec(line.slice(4))?.[0] ?? '' };
}

/** Codes and enhanced codes must agree; of an EHLO reply each keyword line of the file must be there. */
function compare(said: ReadReply, golden: readonly Line[]): void {
  const wanted = golden.map(({ octets }) => octets.toString('utf8').slice(0, -2));
  const { code, status } = codesOf(wanted[0] as string);
  for (const line of said.lines) {
    const codes = codesOf(line);
    if (codes.code !== code || codes.status !== status) expectEqual(line, wanted.join('\n'));
  }
  for (const [index, { exact }] of golden.entries()) if (exact) expectOneOf(wanted[index] as string, said.lines);
  if (code !== '250' || status !== '' || wanted.length === 1) return;
  const keywords = said.lines.map((line) => line.slice(4));
  for (const line of wanted.slice(1)) expectOneOf(line.slice(4), keywords);
}

/** The runner's own comparison goes first: the harness is run thousands of times, and `expect` is slow. */
function expectEqual(said: string, wanted: string): void {
  if (said !== wanted) expect(said).toBe(wanted);
}

function expectOneOf(wanted: string, said: readonly string[]): void {
  if (!said.includes(wanted)) expect(said).toContain(wanted);
}
