import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { composeMessage } from '@posthorn/smtp/message/compose-message';
import { composeOwnMail, type OwnMailParts } from '../agents/own-mail.ts';
import {
  type AggregateReport,
  type AggregateRow,
  aggregateFileName,
  composeAggregateReport,
} from '../authentication/aggregate-report.ts';
import { DmarcUnknown } from '../authentication/dmarc-tree.ts';
import type { Lookups } from '../authentication/lookups.ts';
import { reportPlaces } from '../authentication/report-places.ts';
import type { NewMessage, QueueStore } from '../queue/queue-store.ts';
import type { DmarcJournal } from './dmarc-journal.ts';
import type { Log } from './log.ts';

/** What reports are written and sent with. */
export interface DmarcReporterParts extends OwnMailParts {
  readonly journal: DmarcJournal;
  readonly lookups: Pick<Lookups, 'txt'>;
  readonly store: Pick<QueueStore, 'add'>;
  /** Who sends them, `local@domain`. */
  readonly from: string;
  readonly organization: string;
  readonly log: Log;
  /** Something is due now. */
  readonly wake: () => void;
}

const day = 86_400_000;
const interval = 3_600_000;
/** Days after which nobody waits for a report any more. */
const mostDays = 4;

/** Sends each day what was found of the mail that was said to be of others, to those who want to know (RFC 9990 §3). */
export class DmarcReporter {
  readonly #parts: DmarcReporterParts;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: DmarcReporterParts) {
    this.#parts = parts;
  }

  /** Looks every hour for days that are over. */
  start(): void {
    this.#timer = setInterval(() => void this.run(), interval).unref();
    void this.run();
  }

  /** Reports what is to be reported now. */
  run(): Promise<void> {
    this.#running ??= this.#report()
      .catch((error: unknown) => this.#parts.log.error({ err: error }, 'DMARC reports cannot be sent'))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#running;
    await this.#parts.journal.flush();
  }

  async #report(): Promise<void> {
    const { journal, now } = this.#parts;
    for (const date of await journal.pastDays()) {
      let isDone = true;
      for (const [domain, rows] of await journal.read(date)) {
        if (this.#isClosed) return;
        isDone = (await this.#reportTo(domain, { rows, date })) && isDone;
      }
      if (isDone || now() - date > mostDays * day) await journal.remove(date);
    }
  }

  /** Whether nothing is left to do. */
  async #reportTo(
    domain: string,
    { rows, date }: { readonly rows: readonly AggregateRow[]; readonly date: number },
  ): Promise<boolean> {
    const { lookups, store, log, from, wake } = this.#parts;
    try {
      const places = await reportPlaces(domain, lookups);
      const report = this.#describe(domain, { rows, date });
      for (const place of places) await store.add([await this.#mail(report, place)]);
      if (places.length > 0) wake();
      log.info({ domain, from, to: places, rows: rows.length }, 'DMARC report');
      return true;
    } catch (error) {
      if (!(error instanceof DmarcUnknown)) throw error;
      return false;
    }
  }

  /** The same each time that it is made. */
  #describe(
    domain: string,
    { rows, date }: { readonly rows: readonly AggregateRow[]; readonly date: number },
  ): AggregateReport {
    const { from, organization, hostname } = this.#parts;
    const begin = Math.floor(date / 1000);
    const id = createHash('sha256').update(`${hostname} ${domain} ${begin}`).digest('hex').slice(0, 20);
    return { organization, email: from, id, begin, end: begin + day / 1000 - 1, domain, rows };
  }

  async #mail(report: AggregateReport, place: string): Promise<NewMessage> {
    const { from, now, organization } = this.#parts;
    const { domain, id, begin } = report;
    const submitter = from.slice(from.lastIndexOf('@') + 1);
    const message = composeMessage(
      {
        from: { address: from, name: organization },
        to: place,
        subject: `Report Domain: ${domain} Submitter: ${submitter} Report-ID: ${id}`,
        text: `This is a DMARC aggregate report about ${domain}, for ${new Date(begin * 1000).toISOString().slice(0, 10)} (UTC).\n`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        attachments: [
          {
            filename: aggregateFileName(report, submitter),
            contentType: 'application/gzip',
            content: gzipSync(composeAggregateReport(report)),
          },
        ],
      },
      { now: now(), random: randomBytes },
    );
    const mail = {
      reversePath: from,
      // Nobody here waits for news of a report.
      recipients: [{ address: place, notify: [] }],
      body: message.body,
      smtputf8: message.smtputf8,
    };
    // A crash before the day is forgotten must not send it twice.
    const once = { key: `dmarc ${domain} ${begin} ${place}`, until: now() + 2 * mostDays * day };
    return { ...composeOwnMail(mail, [await message.toBuffer()], this.#parts), once };
  }
}
