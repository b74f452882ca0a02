import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composeTlsReport } from '../../src/report/compose-tls-report.ts';
import { readReport } from '../../src/report/read-report.ts';
import { formatTlsReport, parseTlsReport, type TlsReport } from '../../src/report/tls-report.ts';

const report: TlsReport = {
  organization: 'Example Ltd',
  contact: 'tls@sender.example',
  id: '2026-11-24-far.example',
  begin: Date.parse('2026-11-24T00:00:00Z'),
  end: Date.parse('2026-11-24T23:59:59Z'),
  policies: [
    {
      type: 'sts',
      lines: ['version: STSv1', 'mode: enforce', 'mx: *.far.example', 'max_age: 86400'],
      domain: 'far.example',
      mx: ['*.far.example'],
      successes: 5,
      failures: 3,
      details: [
        {
          result: 'certificate-expired',
          count: 2,
          host: 'mx.far.example',
          receivingIp: '192.0.2.1',
          sendingIp: '192.0.2.9',
        },
        { result: 'validation-failure', count: 1, reason: 'ERR_SSL' },
      ],
    },
    { type: 'no-policy-found', lines: [], domain: 'far.example', successes: 1, failures: 0, details: [] },
  ],
};

describe('reports on TLS', () => {
  it('SEC-RPT-1 are written as the documents have them', () => {
    const written = JSON.parse(formatTlsReport(report).toString());
    expect(written).toMatchObject({
      'organization-name': 'Example Ltd',
      'date-range': { 'start-datetime': '2026-11-24T00:00:00Z', 'end-datetime': '2026-11-24T23:59:59Z' },
      'contact-info': 'tls@sender.example',
      'report-id': '2026-11-24-far.example',
    });
    expect(written.policies[0]).toEqual({
      policy: {
        'policy-type': 'sts',
        'policy-string': ['version: STSv1', 'mode: enforce', 'mx: *.far.example', 'max_age: 86400'],
        'policy-domain': 'far.example',
        'mx-host': ['*.far.example'],
      },
      summary: { 'total-successful-session-count': 5, 'total-failure-session-count': 3 },
      'failure-details': [
        {
          'result-type': 'certificate-expired',
          'sending-mta-ip': '192.0.2.9',
          'receiving-mx-hostname': 'mx.far.example',
          'receiving-ip': '192.0.2.1',
          'failed-session-count': 2,
        },
        { 'result-type': 'validation-failure', 'failed-session-count': 1, 'failure-reason-code': 'ERR_SSL' },
      ],
    });
  });

  it('SEC-RPT-1 are read as they are written, and in the looser forms that others write', () => {
    expect(parseTlsReport(formatTlsReport(report))).toEqual(report);
    const loose = JSON.parse(formatTlsReport(report).toString());
    loose.policies[0].policy['mx-host'] = '*.far.example';
    loose.policies[0].unknown = [1];
    expect(parseTlsReport(Buffer.from(JSON.stringify(loose)))).toEqual(report);
    for (const change of ['report-id', 'date-range', 'policies']) {
      expect(parseTlsReport(Buffer.from(JSON.stringify({ ...loose, [change]: undefined })))).toBeUndefined();
    }
    fc.assert(fc.property(fc.json(), (json) => void parseTlsReport(Buffer.from(json))));
    fc.assert(fc.property(fc.string(), (text) => void parseTlsReport(Buffer.from(text))));
  });

  it('SEC-RPT-2 go by mail as a report of their own kind, however bad TLS is', () => {
    const { content, body } = composeTlsReport({
      report,
      domain: 'far.example',
      compressed: gzipSync(formatTlsReport(report)),
      from: { mailbox: { localPart: 'tls', domain: 'sender.example' } },
      to: [{ mailbox: { localPart: 'reports', domain: 'far.example' } }],
      now: Date.parse('2026-11-25T01:00:00Z'),
      random: (octets) => Buffer.alloc(octets, 7),
    });
    const text = content.toString('latin1');
    const unfolded = text.replace(/\r\n[ \t]/g, ' ');
    expect(body).toBe('7BIT');
    expect(unfolded).toContain('Content-Type: multipart/report; report-type="tlsrpt"; boundary=');
    expect(unfolded).toContain(
      '\r\nSubject: Report Domain: far.example Submitter: sender.example Report-ID: <2026-11-24-far.example>\r\n',
    );
    expect(unfolded).toContain(
      '\r\nTLS-Report-Domain: far.example\r\nTLS-Report-Submitter: sender.example\r\nTLS-Required: No\r\n',
    );
    expect(unfolded).toContain(
      'filename="sender.example!far.example!1795478400!1795564799!2026-11-24-far.example.json.gz"',
    );
    const inside = readReport(content, ['application/tlsrpt+gzip']);
    expect(parseTlsReport(gunzipSync(inside?.fields ?? Buffer.alloc(0)))).toEqual(report);
  });
});
