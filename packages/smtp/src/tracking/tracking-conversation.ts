import { randomBytes } from 'node:crypto';
import type { TrackingQuery } from '../mtqp/mtqp-command.ts';
import { type MtqpReply, mtqpReply } from '../mtqp/mtqp-reply.ts';
import type { MtqpQuestion } from '../mtqp/mtqp-server-session.ts';
import type { Application } from '../net/application.ts';
import type { TlsState } from '../protocol/dialogue.ts';
import { composeTrackingStatus } from '../report/compose-tracking-status.ts';
import type { TrackingReport } from '../report/tracking-report.ts';

/** What is known of a message: reports of this host and of those that it asked itself; none when it knows nothing (RFC 3887 §4). */
export type QueryAnswer = readonly TrackingReport[];

/** Who asks. */
export interface TrackingClient {
  readonly clientAddress: string;
  /** Absent in clear text. */
  readonly tls?: TlsState;
}

/**
 * Answers a query. The secret shows that its client may know; one that is wrong has to be answered as a message that
 * never was. A thrown exception is a temporary failure (RFC 3887 §4).
 */
export type QueryHandler = (query: TrackingQuery, client: TrackingClient) => QueryAnswer | Promise<QueryAnswer>;

/** Whether a session may go on under the TLS that came about (RFC 3887 §6.1). */
export type TlsJudge = (tls: TlsState) => boolean;

/** What one session is led with. */
export interface ConversationParts {
  readonly session: { readonly tls: TlsState | undefined };
  readonly clientAddress: string;
  readonly track: QueryHandler;
  readonly acceptsTls: TlsJudge | undefined;
  readonly isOurName: (domain: string) => boolean;
  readonly onError: (error: unknown) => void;
}

type Answer = MtqpReply | undefined;

const badName = mtqpReply('BAD', 'bad-fqdn', 'Not a name of this server');
const tooWeak = mtqpReply('ERR', 'insecure', 'This TLS is too weak');
const failed = mtqpReply('TEMP', 'unavailable', 'This cannot be answered now');
const found = mtqpReply('OK', '', 'Tracking information follows');

/** Leads the questions of one session to whoever knows, and the answers back. */
export class TrackingConversation implements Application<MtqpQuestion, Answer> {
  readonly #parts: ConversationParts;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  handle(question: MtqpQuestion): Answer | Promise<Answer> {
    const { session, acceptsTls, isOurName } = this.#parts;
    if (question.kind === 'track') return this.#track(question);
    if (question.kind === 'starttls') return isOurName(question.domain) ? undefined : badName;
    const isGood = session.tls === undefined || acceptsTls === undefined || acceptsTls(session.tls);
    return isGood ? undefined : tooWeak;
  }

  giveUp(): void {}

  close(): void {}

  async #track({ envelopeId, secret }: TrackingQuery): Promise<Answer> {
    const { session, clientAddress, track, onError } = this.#parts;
    const { tls } = session;
    try {
      const reports = await track({ envelopeId, secret }, { clientAddress, ...(tls === undefined ? {} : { tls }) });
      return reports.length === 0 ? undefined : withReports(reports);
    } catch (error) {
      onError(error);
      return failed;
    }
  }
}

function withReports(reports: QueryAnswer): MtqpReply {
  // No field of a report begins with it, for chance alone knows it.
  const entity = composeTrackingStatus(reports, `=_${randomBytes(16).toString('hex')}`);
  return { ...found, lines: entity.split('\r\n').slice(0, -1) };
}

/** Answers a client that finds too many others here, or a fault of ours (RFC 3887 §3). */
export function turnAway(why: 'connections' | 'fault'): Application<MtqpQuestion, Answer> {
  const reply = why === 'fault' ? failed : mtqpReply('TEMP', 'unavailable', 'Too many connections');
  return { handle: (question) => (question.kind === 'connect' ? reply : undefined), giveUp() {}, close() {} };
}
