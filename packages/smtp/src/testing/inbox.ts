import { randomBytes } from 'node:crypto';
import { formatMailbox } from '../address/mailbox.ts';
import { createClient } from '../client/client.ts';
import { Failure } from '../failure/failure.ts';
import { checkHostname } from '../net/check-hostname.ts';
import type { ExtensionRules } from '../protocol/extension-rules.ts';
import type { Role } from '../protocol/server-rules.ts';
import { checkExtensions } from '../server/check-extensions.ts';
import { composeBounce } from './bounce.ts';
import { type Arrival, inboxHandlers } from './inbox-handlers.ts';
import { InboxHost } from './inbox-host.ts';
import { MailBox, type NextOptions } from './mail-box.ts';
import { type MailFilter, matchesMail } from './mail-filter.ts';
import { ReceivedMail } from './received-mail.ts';
import { makeCertificates } from './test-certificates.ts';
import { Transcript, type TranscriptLine } from './transcript.ts';
import type { LateBounce, Trouble } from './trouble.ts';
import { TroubleScript } from './trouble-script.ts';

/** What kind of host an inbox is. */
export interface InboxOptions {
  /** Default `smtp` (RFC 2033 §4.1). */
  readonly protocol?: 'smtp' | 'lmtp';
  /** Default: no TLS. Clients need to trust `ca`. */
  readonly tls?: 'starttls' | 'implicit';
  /** Users and their passwords: then nobody else may send, by AUTH PLAIN or LOGIN, and with `starttls` only within TLS. */
  readonly users?: Readonly<Record<string, string>>;
  /** The name it greets with; default `inbox.test`. */
  readonly hostname?: string;
  /** Octets of one message; default 50 MiB (RFC 1870 §4). */
  readonly messageSize?: number;
  /** Octets of all messages that it keeps; what comes beyond gets 452. Default 256 MiB. */
  readonly capacity?: number;
  /** What it offers beyond the usual: `mail.envelope` has what was asked for. Default: nothing. */
  readonly extensions?: ExtensionRules;
  /** What decides where trouble has a chance; default 1. */
  readonly seed?: number;
}

/** A mail server for tests: takes mail for every address, and hands it out. */
export interface Inbox extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** `smtp://`, `smtps://` or `lmtp://`, host and port. */
  readonly url: string;
  /** PEM of the authority to trust; undefined without TLS. */
  readonly ca: string | undefined;
  /** An address in a domain of its own under `.test`, another one each time: what arrives for it can be of nobody else. */
  address(localPart: string): string;
  /**
   * The oldest mail that fits and was not given out before, as soon as there is one. Rejects with Failure `timeout`, and
   * tells what arrived instead, or `aborted`.
   */
  next(options?: NextOptions): Promise<ReceivedMail>;
  /** All mails, also those that were given out. */
  readonly messages: readonly ReceivedMail[];
  /** Those that fit. */
  all(filter: MailFilter): readonly ReceivedMail[];
  /** What was said in all sessions. */
  readonly transcript: readonly TranscriptLine[];
  /** From now on these rules hold, and none of before. Throws Failure `invalid` for one that cannot be. */
  trouble(...rules: readonly Trouble[]): void;
  /** Forgets all mails and the transcript; trouble stays. */
  clear(): void;
  /** Ends all sessions. Whoever waits for a mail gets Failure `aborted`. */
  close(): Promise<void>;
}

const mebibyte = 1_048_576;
const host = '127.0.0.1';

/** Opens an inbox on a free port of the loopback address. Rejects with Failure `invalid` for options that cannot be. */
export async function createInbox(options: InboxOptions = {}): Promise<Inbox> {
  const { protocol = 'smtp', tls, users, hostname = 'inbox.test', extensions = {}, seed = 1 } = options;
  const { messageSize = 50 * mebibyte, capacity = 256 * mebibyte } = options;
  checkHostname(hostname);
  checkExtensions(extensions);
  if (protocol === 'lmtp' && users !== undefined) throw new Failure('invalid', 'An inbox for LMTP has no users');
  const certificates = tls && makeCertificates(hostname);
  const transcript = new Transcript();
  const script = new TroubleScript(seed);
  const closing = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  const box = new MailBox(() => describeTraffic(server.sessions, transcript));
  const role: Role = protocol === 'lmtp' ? 'lmtp' : users === undefined ? 'mx' : 'submission';

  function keep({ source, envelope, recorder }: Arrival): boolean {
    if (box.octets + source.length > capacity) return false;
    box.add(new ReceivedMail({ source, envelope, transcript: () => transcript.lines(recorder.session) }));
    return true;
  }

  /** No host reports about a report (RFC 5321 §6.1). */
  function accepted(arrival: Arrival): void {
    const { to, from } = arrival.envelope;
    const bounce = from === '' ? undefined : script.bounce(to);
    if (bounce === undefined) return;
    arrival.recorder.note(`trouble: a report will follow in ${bounce.after ?? 0} ms`);
    const timer = setTimeout(() => {
      timers.delete(timer);
      void send(arrival, bounce);
    }, bounce.after ?? 0);
    timers.add(timer.unref());
  }

  async function send(arrival: Arrival, bounce: LateBounce): Promise<void> {
    const to = [arrival.envelope.from];
    const source = composeBounce(arrival, bounce, hostname);
    const { port: target = port } = bounce;
    if (target === port) {
      const recipients = to.map((address) => ({ address }));
      const envelope = { ...arrival.envelope, from: '', to, recipients, mail: {}, hello: hostname, login: undefined };
      keep({ ...arrival, source, envelope });
      return;
    }
    await using client = createClient({ host, port: target, tls: 'none' });
    const { ok, recipients } = await client.send(
      { envelope: { from: '', to }, text: source },
      { signal: closing.signal },
    );
    const why = recipients[0]?.reply?.lines.join(' ') ?? recipients[0]?.failure?.message;
    arrival.recorder.note(ok ? 'trouble: the report was sent' : `trouble: the report could not be sent: ${why}`);
  }

  const server: InboxHost = new InboxHost({
    ...{ hostname, role, tls, certificates, messageSize, extensions, script, transcript },
    handlers: inboxHandlers({ script, users, keep, accepted }),
  });
  const port = await server.listen();
  const close = async () => {
    closing.abort();
    for (const timer of timers) clearTimeout(timer);
    box.close();
    await server.close();
  };
  return {
    host,
    port,
    url: `${protocol === 'lmtp' ? 'lmtp' : tls === 'implicit' ? 'smtps' : 'smtp'}://${host}:${port}`,
    ca: certificates?.ca,
    address: (localPart) => formatMailbox({ localPart, domain: `t${randomBytes(6).toString('hex')}.test` }),
    next: (wanted = {}) => box.next(wanted),
    get messages() {
      return box.messages;
    },
    all: (filter) => box.messages.filter((mail) => matchesMail(mail, filter)),
    get transcript() {
      return transcript.lines();
    },
    trouble: (...rules) => script.set(rules),
    clear() {
      box.clear();
      transcript.clear();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function describeTraffic(sessions: number, { refusals }: Transcript): string {
  const refused = refusals.map((line) => `\n  ${line}`).join('');
  return `\nConnections: ${sessions}${refused === '' ? '' : `; the last refusals:${refused}`}`;
}
