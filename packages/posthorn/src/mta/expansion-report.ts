import type { Envelope, Recipient } from '../queue/envelope.ts';
import type { NewMessage } from '../queue/queue-store.ts';
import type { ReportWriter } from './report-writer.ts';

/** What is reported. */
export interface ExpansionFacts {
  readonly envelope: Envelope;
  /** As they were given: they stand for several. */
  readonly expanded: readonly Recipient[];
  /** That of the message. */
  readonly header: Buffer;
  readonly now: number;
}

/** Reports to the sender who wants to hear of success which of the recipients stood for several (RFC 3461 §5.2.7.3). */
export function reportExpansion(
  reports: Pick<ReportWriter, 'compose'>,
  { envelope, expanded, header, now }: ExpansionFacts,
): Promise<NewMessage[]> {
  const bytes = Buffer.concat([header, Buffer.from('\r\n')]);
  const content = {
    size: bytes.length,
    bytes,
    async *stream() {
      yield bytes;
    },
  };
  const outcome = { kind: 'delivered', status: '2.1.5', at: now } as const;
  const recipients = expanded.map((recipient) => ({ recipient, outcome }));
  return reports.compose({ envelope, content, state: 'done', notices: [{ action: 'expanded', recipients }] });
}
