import type { AggregateReport, AggregateRow } from './aggregate-report.ts';
import type { DmarcPolicy } from './dmarc-record.ts';
import { readXml, type XmlElement } from './read-xml.ts';

/** Reads a report in XML, of this version or of RFC 7489; undefined when it is none (RFC 9990 §A). */
export function parseAggregateReport(text: string): AggregateReport | undefined {
  const root = readXml(text);
  if (root?.name !== 'feedback') return undefined;
  const metadata = child(root, 'report_metadata');
  const range = metadata && child(metadata, 'date_range');
  const published = child(root, 'policy_published');
  if (metadata === undefined || range === undefined || published === undefined) return undefined;
  const domain = textOf(published, 'domain');
  const record = {
    policy: policyOf(textOf(published, 'p')),
    ...optional('subdomains', textOf(published, 'sp')),
    ...optional('nonexistent', textOf(published, 'np')),
    dkimAlignment: textOf(published, 'adkim') === 's' ? 's' : 'r',
    spfAlignment: textOf(published, 'aspf') === 's' ? 's' : 'r',
    testing: textOf(published, 'testing') === 'y',
  } as const;
  const rows = root.children.filter(({ name }) => name === 'record').map((each) => readRow(each, domain, record));
  return {
    organization: textOf(metadata, 'org_name'),
    email: textOf(metadata, 'email'),
    id: textOf(metadata, 'report_id'),
    begin: numberOf(range, 'begin'),
    end: numberOf(range, 'end'),
    domain,
    rows,
  };
}

const nothing: XmlElement = { name: '', children: [], text: '' };

function readRow(
  element: XmlElement,
  policyDomain: string,
  record: AggregateRow['observation']['record'],
): AggregateRow {
  const row = child(element, 'row') ?? nothing;
  const evaluated = child(row, 'policy_evaluated') ?? nothing;
  const identifiers = child(element, 'identifiers') ?? nothing;
  const results = child(element, 'auth_results') ?? nothing;
  const reason = child(evaluated, 'reason');
  const spf = child(results, 'spf') ?? nothing;
  const disposition = textOf(evaluated, 'disposition');
  return {
    count: numberOf(row, 'count'),
    observation: {
      policyDomain,
      record,
      source: textOf(row, 'source_ip'),
      disposition:
        disposition === 'pass' || disposition === 'quarantine' || disposition === 'reject' ? disposition : 'none',
      ...(reason === undefined ? {} : { override: textOf(reason, 'type') }),
      dkimAligned: textOf(evaluated, 'dkim') === 'pass',
      spfAligned: textOf(evaluated, 'spf') === 'pass',
      headerFrom: textOf(identifiers, 'header_from'),
      envelopeFrom: textOf(identifiers, 'envelope_from'),
      dkim: results.children
        .filter(({ name }) => name === 'dkim')
        .map((each) => ({
          domain: textOf(each, 'domain'),
          selector: textOf(each, 'selector'),
          result: textOf(each, 'result'),
        })),
      spf: {
        domain: textOf(spf, 'domain'),
        scope: textOf(spf, 'scope') === 'helo' ? 'helo' : 'mfrom',
        result: textOf(spf, 'result') || 'none',
      },
    },
  };
}

function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((each) => each.name === name);
}

function textOf(element: XmlElement, name: string): string {
  return child(element, name)?.text.trim() ?? '';
}

function numberOf(element: XmlElement, name: string): number {
  const value = Number(textOf(element, name));
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function policyOf(text: string): DmarcPolicy {
  return text === 'reject' || text === 'quarantine' ? text : 'none';
}

function optional<Name extends 'subdomains' | 'nonexistent'>(
  name: Name,
  text: string,
): Partial<Record<Name, DmarcPolicy>> {
  return text === '' ? {} : ({ [name]: policyOf(text) } as Record<Name, DmarcPolicy>);
}
