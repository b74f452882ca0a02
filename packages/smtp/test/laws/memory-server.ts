import type { ServerEvent } from '@posthorn/smtp/protocol/server-event';
import type { ServerRules } from '@posthorn/smtp/protocol/server-rules';
import { ServerSession } from '@posthorn/smtp/protocol/server-session';
import { expect } from 'vitest';
import type { Peer } from './run-dialogue.ts';
import { Said } from './said.ts';
import { TestApplication } from './test-application.ts';

/** A server session in memory with a clock of its own, pumped as a connection would. */
export class MemoryServer implements Peer {
  readonly session: ServerSession;
  readonly application: TestApplication;
  readonly #said = new Said();
  #now = 0;

  constructor(rules: ServerRules, application = new TestApplication()) {
    this.session = new ServerSession(rules, 0);
    this.application = application;
    this.#pump();
  }

  /** All that was said, for tests that look at the whole. */
  get transcript(): string {
    return this.#said.text;
  }

  /** Says commands, each with its CRLF, and gives what the session says to them. */
  say(...lines: string[]): string {
    const before = this.transcript.length;
    this.send(Buffer.from(lines.map((line) => `${line}\r\n`).join('')));
    return this.transcript.slice(before);
  }

  send(octets: Buffer): void {
    this.session.receive(octets, this.#now);
    this.#pump();
  }

  line(): string {
    return this.#said.line();
  }

  event(event: string): void {
    const [name, argument] = event.split(' ');
    if (name === 'tls') this.secure();
    else if (name === 'close') expect(this.session.isOver).toBe(true);
    else if (name === 'clock') this.pass(Number(argument) * 1000);
    else if (name === 'shutdown') this.session.shutdown();
    else throw new Error(`No event ${event}`);
    this.#pump();
  }

  /** Lets milliseconds pass. */
  pass(time: number): void {
    this.#now += time;
    this.session.expire(this.#now);
    this.#pump();
  }

  /** Ends a TLS handshake. */
  secure(): void {
    expect(this.session.awaitsTls).toBe(true);
    this.session.secured({ protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }, this.#now);
    this.#pump();
  }

  rest(): string {
    return this.#said.rest();
  }

  #pump(): void {
    for (let event = this.session.next(); event !== undefined; event = this.session.next()) this.#answer(event);
    this.#said.add(this.session.takeOutput());
  }

  #answer(event: ServerEvent): void {
    const answer = this.application.handle(event);
    if (this.session.isAsking) this.session.answer(answer, this.#now);
  }
}
