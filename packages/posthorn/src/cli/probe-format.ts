import type { HostSurvey } from '@posthorn/smtp/client/survey-host';
import type { TlsFacts } from '@posthorn/smtp/client/tls-facts';
import type { Reply } from '@posthorn/smtp/reply/reply';
import Table from 'cli-table3';
import { plainTable } from './plain-table.ts';
import { printable } from './terminal.ts';

/** What a survey found, for people. */
export function formatSurvey(survey: HostSurvey): string {
  const { greeting, offered, tls, tlsFailure, help, findings } = survey;
  return [
    section('Greeting', [[describe(greeting)]]),
    section('Offered', keywordRows(offered)),
    section('TLS', tls === undefined ? [[tlsFailure ?? 'not offered']] : tlsRows(tls)),
    section('HELP', help === undefined ? [['no reply']] : help.lines.map((line) => [`${help.code} ${line}`])),
    section(
      'Survey',
      findings.map(({ question, answer, reply }) => [question, answer, describe(reply)]),
    ),
  ].join('\n');
}

/** One row for each keyword: its values, and where it is offered. */
function keywordRows({ clear, secure }: HostSurvey['offered']): string[][] {
  const lines = [...new Set([...(clear ?? []), ...(secure ?? [])])];
  if (lines.length === 0) return [['nothing']];
  return lines.map((line) => {
    const [keyword = '', ...values] = line.split(/[ =]/);
    const places = [clear?.includes(line) ? 'clear text' : '', secure?.includes(line) ? 'TLS' : ''];
    return [keyword.toUpperCase(), values.join(' '), places.filter(Boolean).join(', ')];
  });
}

function tlsRows(tls: TlsFacts): string[][] {
  return [
    ['protocol', tls.protocol],
    ['cipher', tls.cipher],
    ['verified', tls.verified ? 'yes' : `no: ${tls.reason ?? 'it does not say why'}`],
    ['subject', tls.subject],
    ['names', tls.names],
    ['issuer', tls.issuer],
    ['valid', `${tls.validFrom} to ${tls.validTo}`],
    ['SHA-256', tls.fingerprint],
  ];
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  const table = new Table(plainTable);
  table.push(...rows.map((cells) => ['', ...cells.map(printable)]));
  return `${title}\n${table.toString()}\n`;
}

function describe(reply: Reply | undefined): string {
  return reply === undefined ? 'no reply' : [reply.code, reply.status, ...reply.lines].filter(Boolean).join(' ');
}
