import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readReport } from '@posthorn/smtp/report/read-report';
import { parseTlsReport, type TlsReport } from '@posthorn/smtp/report/tls-report';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { Exit } from './exit.ts';
import { plainTable } from './plain-table.ts';
import { printable, type Terminal } from './terminal.ts';

/** Octets of the largest file, and of the largest report when it is unpacked. */
const largestFile = 10 * 2 ** 20;
const largestReport = 50 * 2 ** 20;
const mediaTypes = ['application/tlsrpt+gzip', 'application/tlsrpt+json'];

/** `posthorn tlsrpt`: reads reports on TLS that others have sent. */
export function addTlsrpt(program: Command, terminal: Terminal): void {
  program
    .command('tlsrpt')
    .description('reports on TLS that other hosts have sent')
    .command('read')
    .description('show a report')
    .argument('<file>', 'the report as JSON, compressed or not, or the mail that it came in')
    .option('--json', 'write it as JSON')
    .action((file: string, options: { readonly json?: boolean }) => read(file, options, terminal));
}

async function read(file: string, { json }: { readonly json?: boolean }, terminal: Terminal): Promise<void> {
  const report = parseTlsReport(unpack(await readBounded(resolve(terminal.folder, file))));
  if (report === undefined) throw new Exit(`${file} is no report on TLS.`);
  terminal.out(json ? `${JSON.stringify(report, undefined, 2)}\n` : formatReport(report));
}

async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path).catch((error: Error) => {
    throw new Exit(`It cannot be read: ${error.message}.`);
  });
  try {
    if ((await file.stat()).size > largestFile) throw new Exit('The file is too large for a report.');
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** The JSON in a file, a compressed file or a mail. */
function unpack(bytes: Buffer): Buffer {
  if (isCompressed(bytes)) return gunzip(bytes);
  if (bytes.toString('latin1', 0, 200).trimStart().startsWith('{')) return bytes;
  const inside = readReport(withCrlf(bytes), mediaTypes)?.fields ?? Buffer.alloc(0);
  return isCompressed(inside) ? gunzip(inside) : inside;
}

function isCompressed(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** As it lies in a mailbox, a line may end in LF alone. */
function withCrlf(bytes: Buffer): Buffer {
  return bytes.includes('\r\n') ? bytes : Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}

function gunzip(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: largestReport });
  } catch {
    return Buffer.alloc(0);
  }
}

function formatReport({ organization, contact, id, begin, end, policies }: TlsReport): string {
  const table = new Table(plainTable);
  const add = (...cells: readonly string[]) => table.push(cells.map(printable));
  add('from', `${organization} (${contact})`);
  add('report', id);
  add('time', `${new Date(begin).toISOString()} to ${new Date(end).toISOString()}`);
  for (const { type, domain, lines, successes, failures, details } of policies) {
    add('policy', `${domain}: ${type}${lines.length === 0 ? '' : ` (${lines.join(', ')})`}`);
    add('', `${successes} sessions as it wants, ${failures} not`);
    for (const { result, count, host, receivingIp, reason } of details) {
      add('', [`${count} \u00d7 ${result}`, host, receivingIp, reason].filter(Boolean).join(', '));
    }
  }
  return `${table.toString()}\n`;
}
