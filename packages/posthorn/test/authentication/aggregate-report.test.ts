import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AggregateReport,
  aggregateFileName,
  composeAggregateReport,
} from '../../src/authentication/aggregate-report.ts';
import { parseAggregateReport } from '../../src/authentication/parse-aggregate-report.ts';
import { readXml } from '../../src/authentication/read-xml.ts';
import { reportPlaces } from '../../src/authentication/report-places.ts';
import { createFixtureResolver } from '../../src/dns/fixture-resolver.ts';

const record = {
  policy: 'reject',
  nonexistent: 'reject',
  subdomains: 'none',
  dkimAlignment: 's',
  spfAlignment: 'r',
  testing: true,
} as const;
const report: AggregateReport = {
  organization: 'Example & <Co>',
  email: 'postmaster@example.org',
  id: 'abc',
  begin: 1_795_564_800,
  end: 1_795_651_199,
  domain: 'example.com',
  rows: [
    {
      count: 3,
      observation: {
        policyDomain: 'example.com',
        record,
        source: '2001:db8::1',
        disposition: 'quarantine',
        override: 'mailing_list',
        dkimAligned: false,
        spfAligned: true,
        headerFrom: 'example.com',
        envelopeFrom: 'list.example',
        dkim: [{ domain: 'a.example', selector: 's"1', result: 'fail' }],
        spf: { domain: 'list.example', scope: 'mfrom', result: 'pass' },
      },
    },
  ],
};

describe('an aggregate report', () => {
  it('SEC-DMARC-3 is written in its namespace, and reads as it was written', () => {
    const xml = composeAggregateReport(report);
    expect(xml).toContain('<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">');
    expect(parseAggregateReport(xml)).toEqual(report);
    expect(aggregateFileName(report, 'example.org')).toBe('example.org!example.com!1795564800!1795651199!abc.xml.gz');
  });

  it('SEC-DMARC-3 is read whatever names others have put in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const organization = text.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '').trim();
        expect(parseAggregateReport(composeAggregateReport({ ...report, organization }))?.organization).toBe(
          organization,
        );
      }),
    );
  });

  it('SEC-DMARC-3 of a hostile hand is refused: entities, depth, tags that do not match', () => {
    for (const bad of [
      '<!DOCTYPE x [<!ENTITY a "aaaa">]><feedback>&a;</feedback>',
      '<feedback>&a;</feedback>',
      '<feedback>&lt</feedback>',
      '<a>'.repeat(100) + '</a>'.repeat(100),
      '<a><b></a></b>',
      '<a>',
      '</a>',
      '<a',
      '<a/><b/>',
      '<a <b>></a>',
      '<!-- <a/>',
    ])
      expect([bad, readXml(bad)]).toEqual([bad, undefined]);
    expect(readXml('<?xml version="1.0"?><!-- x --><n:a x=">"><b/><![CDATA[<&]]>&#x41;&amp;</n:a>')).toEqual({
      name: 'a',
      children: [{ name: 'b', children: [], text: '' }],
      text: '<&A&',
    });
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('<', '>', '/', 'a', '&', ';', '"', '!', '-', '[') }), (text) => {
        readXml(text);
      }),
    );
  });

  it('SEC-DMARC-3 goes to others only where they want it, and they may have it sent elsewhere within their host', async () => {
    const uris =
      'mailto:a@example.com!5m,mailto:b@wants.example,mailto:c@not.example,mailto:d@else.example,https://x.example/';
    const lookups = createFixtureResolver({
      '_dmarc.example.com': { txt: [`v=DMARC1; p=none; rua=${uris}`] },
      'example.com._report._dmarc.wants.example': { txt: ['v=DMARC1'] },
      'example.com._report._dmarc.else.example': {
        txt: ['v=DMARC1; rua=mailto:e@else.example,mailto:f@other.example'],
      },
    });
    expect(await reportPlaces('example.com', lookups)).toEqual(['a@example.com', 'b@wants.example', 'e@else.example']);
  });
});
