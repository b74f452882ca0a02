import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

const run = randomBytes(4).toString('hex');
let count = 0;

/** Slash and colon mean something in a Maildir. */
const host = hostname().replace(/[/:]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);

/** A name that no other file of any Maildir has: time in milliseconds since the epoch, process, count, run and host: maildir(5). */
export function nextMaildirName(now: number): string {
  count += 1;
  const micros = String(Math.floor(now % 1000) * 1000).padStart(6, '0');
  return `${Math.floor(now / 1000)}.M${micros}P${process.pid}Q${count}R${run}.${host}`;
}
