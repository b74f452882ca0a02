import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { AggregateReport } from '../authentication/aggregate-report.ts';
import { parseAggregateReport } from '../authentication/parse-aggregate-report.ts';
import { Exit } from './exit.ts';
import { plainTable } from './plain-table.ts';
import { readArchive } from './read-archive.ts';
import { printable, type Terminal } from './terminal.ts';

/** Octets of a file that is read. */
const largest = 64 * 1024 * 1024;

/** `posthorn dmarc`: reads what others report about one's mail. */
export function addDmarc(program: Command, terminal: Terminal): void {
  program
    .command('dmarc')
    .description('read what others report about the mail of your domains')
    .command('read <file...>')
    .description('show aggregate reports: XML, in gzip or in a ZIP archive')
    .option('--json', 'write one line of JSON for each report')
    .action((files: string[], options: { readonly json?: boolean }) => read(files, options, terminal));
}

async function read(
  files: readonly string[],
  { json }: { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  for (const file of files) {
    const report = parseAggregateReport(await open(resolve(terminal.folder, file), file));
    if (report === undefined) throw new Exit(`${file} is no DMARC aggregate report.`);
    terminal.out(json ? `${JSON.stringify(report)}\n` : format(report));
  }
}

async function open(path: string, file: string): Promise<string> {
  try {
    if ((await stat(path)).size > largest) throw new Error(`is larger than ${largest} octets`);
    return readArchive(await readFile(path));
  } catch (error) {
    throw new Exit(`${file} cannot be read: ${(error as Error).message}`);
  }
}

function format({ organization, domain, begin, end, rows }: AggregateReport): string {
  const date = (seconds: number) => new Date(Math.min(seconds, 8.64e12) * 1000).toISOString().slice(0, 16);
  const table = new Table({ ...plainTable, head: ['MESSAGES', 'CLIENT', 'FROM', 'DKIM', 'SPF', 'DISPOSITION'] });
  const passes = (aligned: boolean) => (aligned ? 'pass' : 'fail');
  for (const { count, observation } of rows) {
    const { source, headerFrom, dkimAligned, spfAligned, disposition, override } = observation;
    const done = override === undefined ? disposition : `${disposition} (${override})`;
    const cells = [String(count), source, headerFrom, passes(dkimAligned), passes(spfAligned), done];
    table.push(cells.map(printable));
  }
  const head = `${domain}, by ${organization}, ${date(begin)} to ${date(end)} UTC`;
  return `${printable(head)}\n${table.toString()}\n`;
}
