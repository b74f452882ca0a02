import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { parseAggregateReport } from '../../src/authentication/parse-aggregate-report.ts';
import { startDnsServer } from '../dns/dns-server.ts';
import { mailIn, startTestAgent, talk } from './fixture.ts';

const day = 86_400_000;
const first = Date.UTC(2026, 10, 25, 12);

describe('reports about the mail of others', () => {
  it('SEC-DMARC-3 go out once the day is over, once, with what was counted', async () => {
    await using dns = await startDnsServer({
      zone: {
        'example.com': { txt: ['v=spf1 ip4:192.0.2.1 -all'] },
        '_dmarc.example.com': { txt: ['v=DMARC1; p=quarantine; rua=mailto:reports@example.com'] },
      },
    });
    let dataDir = '';
    const config = (folder: string) => {
      dataDir = dataDir || join(folder, 'data');
      return {
        dataDir,
        listeners: [{ role: 'mx' as const, host: '127.0.0.1', port: 0, proxyProtocol: ['127.0.0.0/8'] }],
        dns: { servers: [dns.address] },
        domains: {
          'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: '*' as const },
          // Its reports come back, so that they can be seen.
          'example.com': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: '*' as const },
        },
        mailAuthentication: { dmarcReports: { organization: 'Example' } },
      };
    };
    const groups = [
      { send: 'EHLO x.example\r\n', replies: 1 },
      ...Array.from({ length: 3 }, () => [
        { send: 'MAIL FROM:<bob@example.com>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n', replies: 3 },
        { send: 'From: bob@example.com\r\n\r\nHello\r\n.\r\n', replies: 1 },
      ]).flat(),
    ];
    await using yesterday = await startTestAgent(config, { now: () => first });
    for (const client of ['192.0.2.1', '203.0.113.9']) {
      await talk(yesterday.port, groups, `PROXY TCP4 ${client} 127.0.0.1 4000 25\r\n`);
    }
    await yesterday.agent.close({ grace: 1000 });
    expect(await readdir(join(dataDir, 'dmarc'))).toEqual(['2026-11-25.jsonl']);
    await using today = await startTestAgent(config, { now: () => first + day });
    const [mail = ''] = await mailIn(today, 'reports', 1);
    const parsed = await PostalMime.parse(mail);
    expect(parsed.subject).toMatch(/^Report Domain: example\.com Submitter: example\.org Report-ID: [0-9a-f]{20}$/);
    const [file] = parsed.attachments;
    expect(file?.mimeType).toBe('application/gzip');
    expect(file?.filename).toMatch(/^example\.org!example\.com!1795564800!1795651199![0-9a-f]{20}\.xml\.gz$/);
    const report = parseAggregateReport(gunzipSync(Buffer.from(file?.content as ArrayBuffer)).toString());
    expect(report).toMatchObject({ organization: 'Example', domain: 'example.com', begin: 1_795_564_800 });
    const rows = report?.rows.map(({ count, observation }) => [count, observation.source, observation.disposition]);
    expect(rows).toEqual([
      [3, '192.0.2.1', 'pass'],
      [3, '203.0.113.9', 'quarantine'],
    ]);
    await expect.poll(() => readdir(join(dataDir, 'dmarc'))).toEqual([]);
  });
});
