import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { composeTlsReport } from '@posthorn/smtp/report/compose-tls-report';
import { formatTlsReport, type TlsReport } from '@posthorn/smtp/report/tls-report';
import type { StsFetchParts } from '../agents/fetch-sts-policy.ts';
import { composeOwnMail } from '../agents/own-mail.ts';
import type { TlsReporting, TlsSession } from '../agents/tls-sessions.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { type ReportPlace, reportPlaces } from '../routing/tlsrpt-record.ts';
import type { Log } from './log.ts';
import { postReport } from './post-report.ts';
import { day, type TlsTally } from './tls-tally.ts';

/** What reports on TLS are sent with. */
export interface TlsReportParts extends StsFetchParts {
  readonly tally: TlsTally;
  readonly hostname: string;
  /** Who reports. */
  readonly organization: string;
  /** The mail address of who answers for the reports. */
  readonly contact: string;
  readonly store: Pick<QueueStore, 'draft' | 'release'>;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A number from 0 to below 1, by chance. */
  readonly chance: () => number;
  /** Tells that the queue has something new. */
  readonly wake: () => void;
}

/** Reports wait up to four hours behind the end of their day, and are tried for a day (RFC 8460 §4.1, RFC 8460 §5.5). */
const longestWait = 4 * 60 * 60_000;
const longestTrial = day;
const lookInterval = 10 * 60_000;
const saveInterval = 60_000;

/** Keeps count of the sessions with domains that want to know, and reports to them once a day (RFC 8460 §3). */
export class TlsReports implements TlsReporting {
  readonly #parts: TlsReportParts;
  readonly #wait: number;
  readonly #timers: readonly NodeJS.Timeout[];
  /** What was handed over already of reports that have several places. */
  readonly #sent = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: TlsReportParts) {
    this.#parts = parts;
    this.#wait = parts.chance() * longestWait;
    this.#timers = [
      setInterval(() => void this.send(), lookInterval).unref(),
      setInterval(() => void this.#save(), saveInterval).unref(),
    ];
  }

  async wants(domain: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#placesOf(domain, signal))?.length !== 0;
  }

  record(session: TlsSession): void {
    this.#parts.tally.record(session);
  }

  /** Sends the reports whose time has come. */
  send(): Promise<void> {
    this.#running = this.#running.then(() => this.#sendDue()).catch((error: unknown) => this.#complain(error));
    return this.#running;
  }

  /** Ends, with all that was counted on disk. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#running;
    await this.#save();
  }

  async #sendDue(): Promise<void> {
    const { tally, now } = this.#parts;
    for (const number of tally.daysOver()) {
      const end = (number + 1) * day;
      if (now() < end + this.#wait) continue;
      for (const domain of tally.domainsOf(number)) {
        if (this.#closed) return;
        const isDone = await this.#report(number, domain);
        if (isDone || now() >= end + this.#wait + longestTrial) tally.drop(number, domain);
      }
      await this.#save();
    }
    if (tally.daysOver().length === 0) this.#sent.clear();
  }

  /** Whether nothing is left to do. */
  async #report(number: number, domain: string): Promise<boolean> {
    const places = await this.#placesOf(domain, AbortSignal.timeout(60_000));
    if (places === undefined) return false;
    const { organization, contact, tally, hostname } = this.#parts;
    const begin = number * day;
    const report: TlsReport = {
      organization,
      contact,
      id: `${new Date(begin).toISOString().slice(0, 10)}-${domain}-${hostname}`,
      begin,
      end: begin + day - 1000,
      policies: tally.policiesOf(number, domain),
    };
    const compressed = gzipSync(formatTlsReport(report));
    let isDone = true;
    for (const place of places) {
      const key = `${number} ${domain} ${place.to}`;
      if (this.#sent.has(key)) continue;
      if (await this.#handOver(place, { report, domain, compressed })) this.#sent.add(key);
      else isDone = false;
    }
    return isDone;
  }

  async #handOver({ kind, to }: ReportPlace, written: Written): Promise<boolean> {
    if (kind === 'mail') await this.#mail(to, written);
    const isTaken = kind === 'mail' || (await postReport(to, written.compressed, this.#parts));
    const { log } = this.#parts;
    if (isTaken) log.info({ domain: written.domain, to }, 'a report on TLS is on its way');
    else log.warn({ domain: written.domain, to }, 'a report on TLS was not taken');
    return isTaken;
  }

  async #mail(to: string, { report, domain, compressed }: Written): Promise<void> {
    const { contact, hostname, store, now, wake } = this.#parts;
    // Both were found good before.
    const [from, recipient] = [contact, to].map((each) => parseMailbox(each, { utf8: true })) as [Mailbox, Mailbox];
    const mail = composeTlsReport({
      report,
      domain,
      compressed,
      from: { mailbox: from },
      to: [{ mailbox: recipient }],
      now: now(),
      random: randomBytes,
    });
    const draft = store.draft();
    const recipients = [{ address: formatMailbox(recipient), notify: [] }];
    // The report comes through whatever TLS is like, and nobody is told when it does not (RFC 8460 §5.3).
    const own = { reversePath: '', recipients, body: mail.body, smtputf8: mail.smtputf8, tlsOptional: true } as const;
    const { envelope, content } = composeOwnMail(own, [mail.content], { hostname, now, newId: () => draft.id });
    try {
      await draft.write(content);
      await draft.commit(envelope);
      await store.release(envelope.id, now());
    } catch (error) {
      await draft.discard();
      throw error;
    }
    wake();
  }

  /** Undefined when it cannot be found out now. */
  async #placesOf(domain: string, signal: AbortSignal): Promise<ReportPlace[] | undefined> {
    const answer = await this.#parts.resolver.txt(`_smtp._tls.${domain}`, signal);
    if (answer.kind === 'failed') return undefined;
    return answer.kind === 'found' ? reportPlaces(answer.records) : [];
  }

  #save(): Promise<void> {
    return this.#parts.tally.save().catch((error: unknown) => this.#complain(error));
  }

  #complain(error: unknown): void {
    this.#parts.log.error({ err: error }, 'a report on TLS cannot be written');
  }
}

interface Written {
  readonly report: TlsReport;
  readonly domain: string;
  readonly compressed: Buffer;
}
