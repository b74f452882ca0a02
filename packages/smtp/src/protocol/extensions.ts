import type { Reply } from '../reply/reply.ts';
import { type Circumstances, extensionLines, type Line, untoldKeywords } from './extension-lines.ts';
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
  (rules, { secure }) => (rules.startTls && !secure ? 'STARTTLS' : undefined),
  (rules, circumstances) => named('AUTH', mechanismsOf(rules, circumstances)),
  () => 'ENHANCEDSTATUSCODES',
  () => '8BITMIME',
  () => 'SMTPUTF8',
  () => 'DSN',
  () => 'CHUNKING',
  () => 'BINARYMIME',
  ({ limits }) => named('LIMITS', limitNames(limits)),
  () => 'VRFY',
  ({ etrn }) => (etrn ? 'ETRN' : undefined),
  // Without a way to log in it would be of no use.
  (rules, circumstances) => (rules.atrn && mechanismsOf(rules, circumstances).length > 0 ? 'ATRN' : undefined),
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

/** Mechanisms that show the password, or let it be guessed, are kept for TLS, and those that name the connection for where it has a name (RFC 8314 §4). */
function mechanismsOf(rules: ServerRules, { secure, bound = false }: Circumstances): string[] {
  const isFit = secure || rules.cleartextAuth;
  return rules.mechanisms
    .filter(({ revealsPassword, needsTls = false }) => isFit || !(revealsPassword || needsTls))
    .filter(({ needsBinding = false }) => bound || !needsBinding)
    .map(({ name }) => name);
}

/** Values have one to six digits, so that a larger limit goes unsaid (RFC 9422 §4). */
function limitNames({ mails, recipients, recipientDomains }: ServerRules['limits']): string[] {
  const limits = { MAILMAX: mails, RCPTMAX: recipients, RCPTDOMAINMAX: recipientDomains };
  return Object.entries(limits)
    .filter(([, value]) => value > 0 && value <= 999_999)
    .map(([name, value]) => `${name}=${value}`);
}

/** All that on-demand relay tells of (RFC 2645 §5.1.1). */
const onDemandKeywords: ReadonlySet<string> = new Set(['ENHANCEDSTATUSCODES', 'STARTTLS', 'AUTH', 'ATRN']);

function composeOffer(rules: ServerRules, circumstances: Circumstances): Offer {
  const turn = rules.turn && circumstances.authenticated ? 'TURN' : undefined;
  const offered = [...lines.map((line) => line(rules, circumstances)), turn]
    .filter((line) => line !== undefined)
    .filter((line) => rules.role !== 'odmr' || onDemandKeywords.has(line.split(' ', 1)[0] as string));
  return {
    reply: { code: 250, lines: [`${rules.hostname} greets you`, ...offered] },
    keywords: new Set([...offered.map((line) => line.split(' ', 1)[0] as string), ...untoldKeywords(rules)]),
    mechanisms: mechanismsOf(rules, circumstances),
  };
}

const offers = new WeakMap<ServerRules, Offer[]>();

/** What EHLO or LHLO offers under these rules and circumstances; made once for each (RFC 5321 §4.1.1.1). */
export function offerOf(rules: ServerRules, circumstances: Circumstances): Offer {
  const known = offers.get(rules) ?? [];
  if (known.length === 0) offers.set(rules, known);
  const index = (circumstances.secure ? 1 : 0) + (circumstances.authenticated ? 2 : 0) + (circumstances.bound ? 4 : 0);
  known[index] ??= composeOffer(rules, circumstances);
  return known[index];
}
