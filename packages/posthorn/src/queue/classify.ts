import type { Failure, FailureKind } from '@posthorn/smtp/failure/failure';
import type { Phase } from '@posthorn/smtp/protocol/client-timeouts';
import { fallbackStatus } from '@posthorn/smtp/reply/registry';
import type { Reply, Status } from '@posthorn/smtp/reply/reply';
import type { Outcome } from './outcome.ts';

/** What one host, or the way to it, had to say about one recipient. */
export interface HostAnswer {
  readonly kind: 'accepted' | 'deferred' | 'refused';
  readonly phase: Phase;
  readonly reply?: Reply;
  /** Of the reply, or of what the host lacks. */
  readonly status?: Status;
  /** Why no reply decided. */
  readonly failure?: Failure;
}

/** Who answered, and when. */
export interface AnswerContext {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly remoteHost: string;
  /** What a delivery by this host means for reports of success. */
  readonly handover: NonNullable<Outcome['handover']>;
  /** Whether a delivery is told to the sender in any case (RFC 2852 §4.1.4). */
  readonly traced?: boolean;
  /** Whether the host was told the certifier of the message (RFC 3885 §3.3). */
  readonly tracked?: boolean;
}

/** What an answer that came by no reply says about the way there; the class follows from the kind of outcome (RFC 3463 §3). */
const subjects: Readonly<Record<FailureKind, string>> = {
  refused: '4.1',
  unreachable: '4.1',
  timeout: '4.2',
  lost: '4.2',
  aborted: '4.2',
  dns: '4.3',
  protocol: '5.0',
  tls: '7.5',
  authentication: '7.8',
  limit: '4.5',
  full: '3.1',
  storage: '3.0',
  invalid: '5.0',
};

/** The phases in which a host speaks about itself, not about a message. */
const aboutHost: ReadonlySet<Phase> = new Set(['connect', 'greeting', 'hello', 'tls', 'auth']);

/** Whether an answer is for good; all others leave the next host to be tried (RFC 5321 §5.1). */
export function isFinal({ kind, phase, reply, failure }: HostAnswer): boolean {
  if (kind === 'deferred') {
    // The host may have taken the text: to give it to another at once would double it for sure (RFC 1047 §2).
    return phase === 'text' && failure !== undefined && reply === undefined;
  }
  return kind === 'accepted' || reply !== undefined;
}

/** Whether a host says that it takes no mail at all, now and later (RFC 7504 §3). */
export function refusesAll({ phase, reply }: HostAnswer): boolean {
  return (phase === 'greeting' || phase === 'hello') && (reply?.code === 521 || reply?.code === 554);
}

/** What an answer means for its recipient (RFC 5321 §4.2.1, RFC 3463 §2). */
export function classify(answer: HostAnswer, { at, remoteHost, handover, traced, tracked }: AnswerContext): Outcome {
  const { kind, phase, reply } = answer;
  const about = { at, remoteHost, ...(reply === undefined ? {} : { reply }) };
  if (kind === 'accepted') {
    // What a host says of the whole message is less than what it comes to for one recipient.
    const status = answer.status === undefined || answer.status === '2.0.0' ? '2.1.5' : answer.status;
    return {
      kind: 'delivered',
      status,
      ...about,
      handover,
      ...(traced ? { traced } : {}),
      ...(tracked ? { tracked } : {}),
    };
  }
  // What a host says about itself is no verdict on the mail: another one, or the same one later, may take it.
  const failed = kind === 'refused' && !aboutHost.has(phase);
  const outcome = { kind: failed ? ('failed' as const) : ('deferred' as const), status: statusOf(answer, failed) };
  return { ...outcome, ...about, ...(reply === undefined ? { text: describe(answer) } : {}) };
}

/** The far side's status with the class of the outcome; without one what its code says, or the situation (RFC 3463 §2). */
function statusOf({ kind, phase, reply, status, failure }: HostAnswer, failed: boolean): Status {
  const level = failed ? 5 : 4;
  if (status !== undefined) return withClass(level, status.slice(2));
  if (reply !== undefined) return withClass(level, fallbackStatus(reply.code)?.slice(2) ?? '0.0');
  if (failure === undefined) return withClass(level, '0.0');
  const noAnswer = phase === 'connect' && kind === 'deferred' && failure.kind === 'timeout';
  return withClass(level, noAnswer ? '4.1' : subjects[failure.kind]);
}

function withClass(level: 4 | 5, rest: string): Status {
  const [subject, detail] = rest.split('.').map(Number);
  return `${level}.${subject ?? 0}.${detail ?? 0}`;
}

function describe({ failure, phase }: HostAnswer): string {
  const text = failure?.message ?? `no answer in step ${phase}`;
  return text.replace(/[^ -~]/g, '?').slice(0, 400);
}
