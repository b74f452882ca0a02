import type { Transcript } from './transcript.ts';

/** Characters of a line that are kept. */
const longestLine = 1000;
const textEnd = '\r\n.\r\n';

/** Writes one session into a transcript: lines as they come, secrets left out, of a text the number of its octets. */
export class SessionRecorder {
  readonly session: number;
  readonly #transcript: Transcript;
  #expects: 'line' | 'secret' | 'text' | 'chunk' = 'line';
  /** A line that has no end yet, or the last characters of a text. */
  #rest = '';
  #octets = 0;
  #chunk = 0;

  constructor(transcript: Transcript, session: number) {
    this.#transcript = transcript;
    this.session = session;
  }

  /** What the client sent. */
  client(bytes: Buffer): void {
    for (let rest = bytes.toString('latin1'); rest !== ''; ) {
      if (this.#expects === 'text') rest = this.#takeText(rest);
      else if (this.#expects === 'chunk') rest = this.#takeChunk(rest);
      else rest = this.#takeLine(rest);
    }
  }

  /** What the server said. */
  server(output: string): void {
    for (const line of output.split('\r\n')) {
      if (line === '') continue;
      this.#add('server', line);
      if (line.startsWith('354')) this.#begin('text', '\r\n');
      else if (line.startsWith('334')) this.#begin('secret', '');
      else if (this.#expects === 'secret') this.#expects = 'line';
    }
  }

  /** What happened. */
  note(text: string): void {
    this.#add('inbox', text);
  }

  /** The session is over. */
  end(): void {
    if (this.#expects === 'text' || this.#expects === 'chunk')
      this.note(`${this.#octets} octets of a text, not to its end`);
    this.note('closed');
  }

  #begin(what: 'text' | 'secret', rest: string): void {
    this.#expects = what;
    this.#rest = rest;
    this.#octets = 0;
  }

  #takeLine(text: string): string {
    const end = text.indexOf('\n');
    this.#rest = (this.#rest + text.slice(0, end < 0 ? text.length : end)).slice(0, longestLine);
    if (end < 0) return '';
    const line = this.#rest.replace(/\r$/, '');
    this.#rest = '';
    const secret = this.#expects === 'secret' ? '…' : line.replace(/^(AUTH +\S+ +).*/i, '$1…');
    this.#add('client', Buffer.from(secret === line ? line : secret, secret === line ? 'latin1' : 'utf8').toString());
    this.#chunk = Number(/^BDAT +(\d{1,15})\b/i.exec(line)?.[1] ?? 0);
    this.#octets = 0;
    if (this.#chunk > 0) this.#expects = 'chunk';
    return text.slice(end + 1);
  }

  #takeText(text: string): string {
    const all = this.#rest + text;
    const end = all.indexOf(textEnd);
    const taken = end < 0 ? text.length : end + textEnd.length - this.#rest.length;
    this.#octets += taken;
    this.#rest = end < 0 ? all.slice(-textEnd.length) : '';
    if (end >= 0) this.#finish(`${this.#octets - 3} octets of text, then the dot`);
    return text.slice(taken);
  }

  #takeChunk(text: string): string {
    const taken = Math.min(text.length, this.#chunk - this.#octets);
    this.#octets += taken;
    if (this.#octets === this.#chunk) this.#finish(`${this.#octets} octets of text`);
    return text.slice(taken);
  }

  #finish(note: string): void {
    this.#expects = 'line';
    this.note(note);
  }

  #add(by: 'client' | 'server' | 'inbox', text: string): void {
    this.#transcript.add({ session: this.session, at: Date.now(), by, text });
  }
}
