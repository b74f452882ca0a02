import type { DsnFacts } from '@posthorn/smtp/report/compose-dsn';
import type { DeliveryReport, ReportedRecipient } from '@posthorn/smtp/report/delivery-report';

export const failed: ReportedRecipient = {
  finalRecipient: 'bob@example.net',
  originalRecipient: 'rfc822;Bob+tag@example.net',
  action: 'failed',
  status: '5.1.1',
  remoteMta: 'mx.example.net',
  diagnostic: { type: 'smtp', reply: { code: 550, status: '5.1.1', lines: ['No such user', 'Try another one'] } },
  lastAttempt: Date.UTC(2026, 10, 3, 5, 0, 0),
};

const delayed: ReportedRecipient = {
  finalRecipient: 'carol@example.com',
  action: 'delayed',
  status: '4.4.1',
  diagnostic: { type: 'x-posthorn', text: 'no host of example.com answered' },
  lastAttempt: Date.UTC(2026, 10, 3, 5, 0, 0),
  willRetryUntil: Date.UTC(2026, 10, 8, 5, 0, 0),
};

export const report: DeliveryReport = {
  reportingMta: 'mx.example.org',
  envelopeId: 'QQ314159 Case',
  receivedFromMta: { name: 'client.example', address: '192.0.2.1' },
  arrivalDate: Date.UTC(2026, 10, 3, 4, 5, 6),
  recipients: [failed, delayed],
};

const header = 'From: ann@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: hello\r\n';

/** Chance that is none, different at each call. */
function counting(): (octets: number) => Buffer {
  let calls = 0;
  return (octets) => {
    calls += 1;
    return Buffer.alloc(octets, calls);
  };
}

export function dsnFacts(changes: Partial<DsnFacts> = {}): DsnFacts {
  return {
    report,
    reversePath: 'ann@example.org',
    original: { header: Buffer.from(header) },
    now: Date.UTC(2026, 10, 3, 6, 0, 0),
    random: counting(),
    ...changes,
  };
}

/** The body of the nth part, as it stands, and its header. */
export function partsOf(content: Buffer): { head: string; body: string }[] {
  const text = content.toString('utf8');
  const boundary = /boundary="([^"]+)"/.exec(text)?.[1] as string;
  const sections = text.split(`\r\n--${boundary}`).slice(1, -1);
  return sections.map((section) => {
    const at = section.indexOf('\r\n\r\n');
    return { head: section.slice(2, at), body: section.slice(at + 4) };
  });
}
