import type { TrackingQuery } from '@posthorn/smtp/mtqp/mtqp-command';
import { type MtqpReply, mtqpReply } from '@posthorn/smtp/mtqp/mtqp-reply';
import { type MtqpQuestion, type MtqpRules, MtqpServerSession } from '@posthorn/smtp/mtqp/mtqp-server-session';

export const secret = Buffer.from('5f0c7be1a94d2286f3b0117ce85d9a4463c2', 'hex');
export const envelopeId = 't17.20261121@mail.example.org';

const minute = 60_000;

export function mtqpRules(change: Partial<MtqpRules> = {}): MtqpRules {
  return {
    hostname: 'mail.example.org',
    startTls: 'offered',
    limits: { idleTime: 10 * minute, sessionTime: 60 * minute, commands: 100, errors: 10 },
    ...change,
  };
}

/** What the application of a test says. */
export interface MtqpAnswers {
  connect?(isSecure: boolean): MtqpReply | undefined;
  track?(query: TrackingQuery): MtqpReply | undefined;
}

/** A server session in memory, pumped as a connection would, that knows one message and the name mail.example.org. */
export class MemoryMtqp {
  readonly session: MtqpServerSession;
  readonly asked: MtqpQuestion[] = [];
  now = 0;
  /** All that it said. */
  transcript = '';
  readonly #answers: MtqpAnswers;

  constructor(rules = mtqpRules(), answers: MtqpAnswers = {}) {
    this.session = new MtqpServerSession(rules, 0);
    this.#answers = answers;
    this.pump();
  }

  /** Says lines and gives what is said to them. */
  say(...lines: string[]): string {
    return this.send(lines.map((line) => `${line}\r\n`).join(''));
  }

  send(octets: string | Buffer): string {
    const before = this.transcript.length;
    this.session.receive(Buffer.from(octets as string), this.now);
    this.pump();
    return this.transcript.slice(before);
  }

  /** Ends the handshake; gives what is said inside TLS. */
  secure(): string {
    const before = this.transcript.length;
    this.session.secured({ protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }, this.now);
    this.pump();
    return this.transcript.slice(before);
  }

  pump(): void {
    for (let event = this.session.next(); event !== undefined; event = this.session.next()) {
      this.asked.push(event);
      this.session.answer(this.#answer(event), this.now);
    }
    this.transcript += this.session.takeOutput();
  }

  #answer(event: MtqpQuestion): MtqpReply | undefined {
    if (event.kind === 'connect') return this.#answers.connect?.(event.isSecure);
    if (event.kind === 'starttls') {
      return event.domain === 'mail.example.org'
        ? undefined
        : mtqpReply('BAD', 'bad-fqdn', 'Not a name of this server');
    }
    if (this.#answers.track !== undefined) return this.#answers.track(event);
    const known = event.envelopeId === envelopeId && event.secret.equals(secret);
    return known ? { ...mtqpReply('OK', '', 'Found'), lines: ['Content-Type: x', '', '.dot', '.', ''] } : undefined;
  }
}
