import type { ServerRules, SessionLimits } from '@posthorn/smtp/protocol/server-rules';
import { login } from '@posthorn/smtp/sasl/login';
import { plain } from '@posthorn/smtp/sasl/plain';

/** Rules that differ from those of the tests; limits are merged. */
export type RuleChange = Partial<Omit<ServerRules, 'limits'>> & { readonly limits?: Partial<SessionLimits> };

const limits: SessionLimits = {
  messageSize: 100_000,
  recipients: 100,
  mails: 0,
  recipientDomains: 0,
  errors: 1000,
  authFailures: 3,
  errorDelay: 0,
  idleTime: 300_000,
  sessionTime: 7_200_000,
};

/** What holds in tests where nothing else is said: a mail exchanger with TLS that knows PLAIN and LOGIN. */
export function testRules({ limits: changed, ...change }: RuleChange = {}): ServerRules {
  return {
    role: 'mx',
    hostname: 'mx.example.test',
    mechanisms: [plain, login],
    cleartextAuth: false,
    startTls: true,
    requireTls: false,
    requireAuth: false,
    expand: false,
    etrn: false,
    atrn: false,
    turn: false,
    bareLineEnds: 'reject',
    earlyTalk: 'allow',
    extensions: {},
    now: () => Date.UTC(2026, 10, 25),
    ...change,
    limits: { ...limits, ...changed },
  };
}
