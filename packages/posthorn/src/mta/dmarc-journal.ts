import { createReadStream } from 'node:fs';
import { appendFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AggregateRow } from '../authentication/aggregate-report.ts';
import type { Observation } from '../authentication/dmarc-observation.ts';
import type { Log } from './log.ts';

/** What the journal is kept with. */
export interface DmarcJournalParts {
  readonly folder: string;
  /** Octets of one day, at the most: beyond, nothing is counted. */
  readonly mostOctets: number;
  readonly log: Log;
  readonly now: () => number;
}

const day = 86_400_000;
/** Milliseconds that lines wait for others before they are written together. */
const patience = 1000;
/** Octets that wait at the most. */
const mostWaiting = 1_048_576;
/** Kinds of messages that one report tells apart, and domains of one day. */
const mostRows = 10_000;
const mostDomains = 10_000;

/** What the reports of a day are made of: a line for each message, in one file a day, so that a restart forgets next to nothing. */
export class DmarcJournal {
  readonly #parts: DmarcJournalParts;
  #waiting = '';
  /** The file of today, and its size so far. */
  #today = '';
  #size = 0;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: DmarcJournalParts) {
    this.#parts = parts;
  }

  /** Counts one message. */
  note(observation: Observation): void {
    const line = `${JSON.stringify(observation)}\n`;
    if (this.#waiting.length + line.length > mostWaiting) return;
    this.#waiting += line;
    this.#timer ??= setTimeout(() => void this.flush(), patience);
  }

  /** Writes what waits. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#waiting;
    this.#waiting = '';
    if (lines !== '') this.#writing = this.#writing.then(() => this.#append(lines));
    await this.#writing;
  }

  /** The days that are over and were not reported yet: their first milliseconds since the epoch. */
  async pastDays(): Promise<number[]> {
    const names = await readdir(this.#parts.folder).catch(() => []);
    const days = names.flatMap((name) =>
      /^\d{4}-\d\d-\d\d\.jsonl$/.test(name) ? [Date.parse(name.slice(0, 10))] : [],
    );
    const today = this.#parts.now() - (this.#parts.now() % day);
    return days.filter((each) => each < today).sort((one, other) => one - other);
  }

  /** What was counted on a day, by the domain whose policy counted. */
  async read(date: number): Promise<Map<string, AggregateRow[]>> {
    const domains = new Map<string, Map<string, number>>();
    const lines = createInterface({ input: createReadStream(this.#fileOf(date)), crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) {
      const observation = parseLine(line);
      if (observation === undefined) continue;
      const rows = domains.get(observation.policyDomain) ?? new Map<string, number>();
      if (domains.size >= mostDomains && !domains.has(observation.policyDomain)) continue;
      domains.set(observation.policyDomain, rows);
      const key = JSON.stringify(observation);
      if (rows.has(key) || rows.size < mostRows) rows.set(key, (rows.get(key) ?? 0) + 1);
    }
    const rowsOf = (rows: ReadonlyMap<string, number>): AggregateRow[] =>
      [...rows].map(([key, count]) => ({ observation: JSON.parse(key) as Observation, count }));
    return new Map([...domains].map(([domain, rows]) => [domain, rowsOf(rows)]));
  }

  /** Forgets a day. */
  async remove(date: number): Promise<void> {
    await rm(this.#fileOf(date), { force: true });
  }

  async #append(lines: string): Promise<void> {
    const { folder, mostOctets, log, now } = this.#parts;
    const file = this.#fileOf(now());
    try {
      if (file !== this.#today) {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        this.#size = await stat(file).then(
          ({ size }) => size,
          () => 0,
        );
        this.#today = file;
      }
      if (this.#size + lines.length > mostOctets) return;
      await appendFile(file, lines, { mode: 0o600 });
      this.#size += lines.length;
    } catch (error) {
      log.error({ err: error }, 'what DMARC found cannot be counted');
    }
  }

  #fileOf(date: number): string {
    return join(this.#parts.folder, `${new Date(date).toISOString().slice(0, 10)}.jsonl`);
  }
}

/** A crash may have cut the last line. */
function parseLine(line: string): Observation | undefined {
  try {
    const value = JSON.parse(line) as Observation;
    return typeof value?.policyDomain === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
