import type { Observation } from './dmarc-observation.ts';

/** What is told of one domain, or by one host (RFC 9990 §3.1). */
export interface AggregateReport {
  readonly organization: string;
  /** Whom its readers may ask. */
  readonly email: string;
  readonly id: string;
  /** Seconds since the epoch, the end included. */
  readonly begin: number;
  readonly end: number;
  readonly domain: string;
  readonly rows: readonly AggregateRow[];
}

/** Messages that were alike, and how many they were. */
export interface AggregateRow {
  readonly observation: Observation;
  readonly count: number;
}

/** Writes a report in XML (RFC 9990 §A). */
export function composeAggregateReport(report: AggregateReport): string {
  const { organization, email, id, begin, end, domain, rows } = report;
  const record = rows[0]?.observation.record;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">',
    '<version>1.0</version>',
    `<report_metadata>${[
      element('org_name', organization),
      element('email', email),
      element('report_id', id),
      `<date_range>${element('begin', String(begin))}${element('end', String(end))}</date_range>`,
      element('generator', 'Posthorn'),
    ].join('')}</report_metadata>`,
    `<policy_published>${[
      element('domain', domain),
      element('discovery_method', 'treewalk'),
      element('p', record?.policy ?? 'none'),
      element('sp', record?.subdomains ?? record?.policy ?? 'none'),
      ...(record?.nonexistent === undefined ? [] : [element('np', record.nonexistent)]),
      element('adkim', record?.dkimAlignment ?? 'r'),
      element('aspf', record?.spfAlignment ?? 'r'),
      element('testing', record?.testing ? 'y' : 'n'),
    ].join('')}</policy_published>`,
    ...rows.map(formatRow),
    '</feedback>\n',
  ].join('\n');
}

function formatRow({ observation, count }: AggregateRow): string {
  const { source, disposition, override, dkimAligned, spfAligned, headerFrom, envelopeFrom, dkim, spf } = observation;
  const passes = (aligned: boolean) => (aligned ? 'pass' : 'fail');
  const reason = override === undefined ? '' : `<reason>${element('type', override)}</reason>`;
  const evaluated = `${element('disposition', disposition)}${element('dkim', passes(dkimAligned))}${element('spf', passes(spfAligned))}${reason}`;
  const signatures = dkim.map(
    (each) =>
      `<dkim>${element('domain', each.domain)}${element('selector', each.selector)}${element('result', each.result)}</dkim>`,
  );
  const sender = `<spf>${element('domain', spf.domain)}${element('scope', spf.scope)}${element('result', spf.result)}</spf>`;
  return [
    '<record>',
    `<row>${element('source_ip', source)}${element('count', String(count))}<policy_evaluated>${evaluated}</policy_evaluated></row>`,
    `<identifiers>${element('header_from', headerFrom)}${element('envelope_from', envelopeFrom)}</identifiers>`,
    `<auth_results>${signatures.join('')}${sender}</auth_results>`,
    '</record>',
  ].join('');
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** What XML cannot hold at all is left out (XML 1.0, 2.2). */
function element(name: string, text: string): string {
  const clean = text.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '');
  return `<${name}>${clean.replace(/[&<>"]/g, (character) => entities[character] as string)}</${name}>`;
}

/** The name of the file of a report, the same each time it is sent (RFC 9990 §3.5.1). */
export function aggregateFileName({ domain, begin, end, id }: AggregateReport, receiver: string): string {
  return `${receiver}!${domain}!${begin}!${end}!${id}.xml.gz`;
}
