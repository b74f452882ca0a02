import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Failure } from '../failure/failure.ts';
import { endpointOf } from '../net/endpoint.ts';
import { ServerHost } from '../net/server-host.ts';
import { openServerTls } from '../net/server-tls.ts';
import { smtpService } from '../net/smtp-service.ts';
import type { ExtensionRules } from '../protocol/extension-rules.ts';
import type { Role } from '../protocol/server-rules.ts';
import { composeRules } from '../server/compose-rules.ts';
import { Conversation } from '../server/conversation.ts';
import type { ServerHandlers } from '../server/handlers.ts';
import { defaultLimits } from '../server/options.ts';
import { SessionView } from '../server/session.ts';
import { DrippingStream } from './dripping-stream.ts';
import type { InboxSession } from './inbox-handlers.ts';
import { RecordedSession } from './recorded-session.ts';
import { SessionRecorder } from './session-recorder.ts';
import type { CertificateFlaw, TestCertificates } from './test-certificates.ts';
import type { Transcript } from './transcript.ts';
import type { TroubleScript } from './trouble-script.ts';

/** What the sessions of an inbox are like. */
export interface InboxHostOptions {
  readonly hostname: string;
  readonly role: Role;
  readonly tls: 'starttls' | 'implicit' | undefined;
  readonly certificates: TestCertificates | undefined;
  readonly messageSize: number;
  readonly extensions: ExtensionRules;
  readonly handlers: ServerHandlers<InboxSession>;
  readonly script: TroubleScript;
  readonly transcript: Transcript;
}

const loopback = '127.0.0.1';
const handlerTime = 300_000;
/** Refusals are what tests are about: no session ends because of them, and no reply waits. */
const patience = { errors: 1_000_000, authFailures: 1000, errorDelay: 0, connectionsPerAddress: 10_000 };

/** Serves the sessions of an inbox, each with its recorder and its share of the trouble. */
export class InboxHost {
  /** Sessions so far. */
  sessions = 0;
  readonly #options: InboxHostOptions;
  readonly #hosts = new Map<CertificateFlaw | 'good', ServerHost>();
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#arrive(socket));

  constructor(options: InboxHostOptions) {
    this.#options = options;
  }

  /** Listens on a free port of the loopback address, and resolves with it. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, loopback, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    await Promise.all([...this.#hosts.values()].map((host) => host.close(0)));
    await closed;
  }

  #arrive(socket: Socket): void {
    // A client that is gone already.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const { role, tls, handlers, script, transcript } = this.#options;
    this.sessions += 1;
    const recorder = new SessionRecorder(transcript, this.sessions);
    const rate = script.drip();
    if (rate !== undefined) recorder.note(`trouble: ${rate} octets in a second`);
    const state = { recorder, ended: new AbortController(), recipients: 0, drop: () => socket.destroy() };
    const rules = this.#rules();
    const service = smtpService({
      rules,
      implicitTls: tls === 'implicit',
      application: (session, endpoint) =>
        new Conversation(handlers, new SessionView(session, { role, endpoint, state }), (error) =>
          report(error, recorder),
        ),
    });
    const recorded = { ...service, session: (now: number) => new RecordedSession(rules, now, recorder) };
    const stream = rate === undefined ? socket : new DrippingStream(socket, rate);
    this.#hostFor(recorder).accept(stream, recorded, endpointOf(socket));
  }

  #rules() {
    const { hostname, role, tls, messageSize, extensions, handlers } = this.#options;
    const plan = { role, requireTls: false, mechanisms: undefined, trusted: false, askForCertificate: false };
    const options = { hostname, handlers, extensions, allowCleartextAuth: tls === undefined };
    const limits = { ...defaultLimits, ...patience, messageSize };
    const rules = composeRules(options, { ...plan, secret: Buffer.alloc(32) }, limits);
    return { ...rules, startTls: tls === 'starttls' };
  }

  /** Each certificate has a host of its own, so that sessions side by side may be shown different ones. */
  #hostFor(recorder: SessionRecorder): ServerHost {
    const { certificates, script } = this.#options;
    const flaw = certificates === undefined ? undefined : script.flaw();
    if (flaw !== undefined) recorder.note(`trouble: bad certificate, ${flaw}`);
    let host = this.#hosts.get(flaw ?? 'good');
    if (host === undefined) {
      const certificate = flaw === undefined ? certificates?.good : certificates?.flawed(flaw);
      host = new ServerHost({
        limits: { ...defaultLimits, ...patience },
        tls: certificate && openServerTls(certificate),
        handlerTime,
        report: (error) => report(error, recorder),
      });
      this.#hosts.set(flaw ?? 'good', host);
    }
    return host;
  }
}

/** A fault of ours is said aloud; what a client did belongs into the transcript. */
function report(error: unknown, recorder: SessionRecorder): void {
  if (error instanceof Failure) recorder.note(error.message);
  else console.error(error);
}
