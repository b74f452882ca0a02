import { isPositive, type Reply } from '../reply/reply.ts';
import { type ConnectOptions, connectClient } from './connect-client.ts';
import type { ClientConnection } from './connection.ts';
import { ConnectionFailure } from './send-result.ts';
import { type TlsFacts, tlsFactsOf } from './tls-facts.ts';

/** What is asked of a host. */
export interface SurveyOptions
  extends Pick<ConnectOptions, 'host' | 'port' | 'timeouts' | 'tlsMaterial' | 'name' | 'socketFactory'> {
  readonly host: string;
  /** A domain that the host takes mail for; default: its name. */
  readonly domain?: string;
  /** A local-part that nobody has. */
  readonly nobody: string;
}

/** One question and what came of it: `yes` and `no` are answers, `unclear` is a reply that says neither. */
export interface Finding {
  readonly question: string;
  readonly answer: 'yes' | 'no' | 'unclear';
  /** Absent when the connection was lost instead. */
  readonly reply?: Reply;
}

/** What a survey found. */
export interface HostSurvey {
  readonly greeting?: Reply;
  /** The lines of the reply to EHLO, in clear text and within TLS. */
  readonly offered: { readonly clear?: readonly string[]; readonly secure?: readonly string[] };
  readonly tls?: TlsFacts;
  /** Why TLS did not come about. */
  readonly tlsFailure?: string;
  readonly help?: Reply;
  readonly findings: readonly Finding[];
}

/**
 * Looks at a host without sending any mail: what it offers, how it is secured, and what the survey of 1983 asked of every
 * host. Rejects with ConnectionFailure when there is no session at all (RFC 876).
 */
export async function surveyHost(options: SurveyOptions, signal?: AbortSignal): Promise<HostSurvey> {
  const { host, port = 25, timeouts, tlsMaterial, name, socketFactory } = options;
  const target = { host, port, ...defined({ timeouts, tlsMaterial, name, socketFactory }) };
  if (port === 465) {
    const session = await openUnverified(target, 'implicit', signal);
    return ask(session, options, {});
  }
  const clear = await connectClient({ ...target, tls: 'none' }, signal);
  try {
    const offered = await offerOf(clear, options);
    if (!clear.capabilities.offered.has('STARTTLS')) return await ask(clear, options, { clear: offered });
    const secure = await openUnverified(target, 'starttls', signal).catch((error: unknown) => error);
    if (!(secure instanceof Error)) return await ask(secure as ClientConnection, options, { clear: offered });
    return { ...(await ask(clear, options, { clear: offered })), tlsFailure: secure.message };
  } finally {
    await clear.quit();
  }
}

/** A certificate that does not fit is to be seen, not to end the survey; no secret goes over this connection. */
async function openUnverified(
  target: ConnectOptions,
  tls: 'implicit' | 'starttls',
  signal: AbortSignal | undefined,
): Promise<ClientConnection> {
  return connectClient({ ...target, tls, verify: false }, signal);
}

async function ask(
  session: ClientConnection,
  options: SurveyOptions,
  offered: HostSurvey['offered'],
): Promise<HostSurvey> {
  try {
    const tls = tlsFactsOf(session.socket);
    const secure = tls === undefined ? undefined : await offerOf(session, options);
    const clear = tls === undefined ? (offered.clear ?? (await offerOf(session, options))) : offered.clear;
    const help = await say(session, 'HELP');
    const findings = await inquire(session, options);
    const { greeting } = session;
    return { offered: defined({ clear, secure }), findings, ...defined({ greeting, tls, help }) };
  } finally {
    await session.quit();
  }
}

/** The lines of the reply to EHLO, keywords with their values; none when there was no EHLO. */
async function offerOf(session: ClientConnection, { name = 'probe.invalid' }: SurveyOptions): Promise<string[]> {
  const reply = await say(session, `EHLO ${name}`);
  return reply !== undefined && isPositive(reply) ? reply.lines.slice(1) : [];
}

async function inquire(session: ClientConnection, { host, domain = host, nobody }: SurveyOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  const note = async (question: string, line: string, judge: (reply: Reply) => Finding['answer']) => {
    const reply = await say(session, line);
    findings.push(reply === undefined ? { question, answer: 'unclear' } : { question, answer: judge(reply), reply });
    return reply;
  };
  // 502 is no word about the state of the session.
  await note('VRFY before MAIL is in order', 'VRFY postmaster', ({ code }) =>
    code === 503 || code === 554 ? 'no' : 'yes',
  );
  await note('NOOP earns 250', 'NOOP', is250);
  await note('RSET earns 250', 'RSET', is250);
  const mail = await note('MAIL with the null sender is taken', 'MAIL FROM:<>', taken);
  if (mail === undefined || !isPositive(mail)) return findings;
  await note('RCPT for Postmaster is taken', 'RCPT TO:<Postmaster>', taken);
  await note(`RCPT for postmaster of ${domain} is taken`, `RCPT TO:<postmaster@${domain}>`, taken);
  await note('RCPT for an unknown user is refused', `RCPT TO:<${nobody}@${domain}>`, refused);
  // The sender was the null one: whatever the host makes of this, nobody gets mail.
  await note('RSET within a transaction earns 250', 'RSET', is250);
  return findings;
}

const is250 = ({ code }: Reply) => (code === 250 ? 'yes' : 'no');
const taken = (reply: Reply) => (isPositive(reply) ? 'yes' : reply.code >= 500 ? 'no' : 'unclear');
const refused = (reply: Reply) =>
  isPositive(reply) ? 'no' : reply.code >= 550 && reply.code <= 553 ? 'yes' : 'unclear';

/** Nothing, when the host ends the session instead; one that says 421 has answered. */
async function say(session: ClientConnection, line: string): Promise<Reply | undefined> {
  try {
    return await session.command(line);
  } catch (error) {
    return error instanceof ConnectionFailure ? error.reply : undefined;
  }
}

/** Without the entries that are undefined. */
function defined<T extends object>(entries: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as Partial<T>;
}
