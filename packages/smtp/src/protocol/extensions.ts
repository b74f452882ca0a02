import type { Reply } from '../reply/reply.ts';
import { extensionLines, type Line, untoldKeywords } from './extension-lines.ts';
import type { ServerRules } from './server-rules.ts';

/** What one EHLO offers. */
export interface Offer {
  /** The reply, but for a line that tells the time (RFC 5321 §4.1.1.1). */
  readonly reply: Reply;
  /** Its keywords, for the parameters that they permit. */
  readonly keywords: ReadonlySet<string>;
  /** Mechanisms on offer, by name (RFC 4954 §3). */
  readonly mechanisms: readonly string[];
}

const lines: readonly Line[] = [
  () => 'PIPELINING',
  ({ limits }) => (limits.messageSize > 0 ? `SIZE ${limits.messageSize}` : 'SIZE'),
  (rules, secure) => (rules.startTls && !secure ? 'STARTTLS' : undefined),
  (rules, secure) => named('AUTH', mechanismsOf(rules, secure)),
  () => 'ENHANCEDSTATUSCODES',
  () => '8BITMIME',
  () => 'SMTPUTF8',
  () => 'DSN',
  () => 'CHUNKING',
  () => 'BINARYMIME',
  ({ limits }) => named('LIMITS', limitNames(limits)),
  () => 'VRFY',
  (rules) => (rules.expand ? 'EXPN' : undefined),
  ({ role, extensions }) => (extensions.terminals && role !== 'lmtp' ? 'SEND' : undefined),
  ({ role, extensions }) => (extensions.terminals && role !== 'lmtp' ? 'SOML' : undefined),
  ({ role, extensions }) => (extensions.terminals && role !== 'lmtp' ? 'SAML' : undefined),
  ...extensionLines,
  () => 'HELP',
];

function named(keyword: string, values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : `${keyword} ${values.join(' ')}`;
}

/** Mechanisms that show the password are kept for TLS (RFC 8314 §4). */
function mechanismsOf(rules: ServerRules, secure: boolean): string[] {
  const isFit = secure || rules.cleartextAuth;
  return rules.mechanisms.filter((mechanism) => isFit || !mechanism.revealsPassword).map(({ name }) => name);
}

/** Values have one to six digits, so that a larger limit goes unsaid (RFC 9422 §4). */
function limitNames({ mails, recipients, recipientDomains }: ServerRules['limits']): string[] {
  const limits = { MAILMAX: mails, RCPTMAX: recipients, RCPTDOMAINMAX: recipientDomains };
  return Object.entries(limits)
    .filter(([, value]) => value > 0 && value <= 999_999)
    .map(([name, value]) => `${name}=${value}`);
}

function composeOffer(rules: ServerRules, secure: boolean): Offer {
  const offered = lines.map((line) => line(rules, secure)).filter((line) => line !== undefined);
  return {
    reply: { code: 250, lines: [`${rules.hostname} greets you`, ...offered] },
    keywords: new Set([...offered.map((line) => line.split(' ', 1)[0] as string), ...untoldKeywords(rules)]),
    mechanisms: mechanismsOf(rules, secure),
  };
}

const offers = new WeakMap<ServerRules, { readonly clear: Offer; readonly secure: Offer }>();

/** What EHLO or LHLO offers under these rules, in clear text or within TLS; made once per rules (RFC 5321 §4.1.1.1). */
export function offerOf(rules: ServerRules, secure: boolean): Offer {
  let both = offers.get(rules);
  if (both === undefined) {
    both = { clear: composeOffer(rules, false), secure: composeOffer(rules, true) };
    offers.set(rules, both);
  }
  return secure ? both.secure : both.clear;
}
