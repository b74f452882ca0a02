import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseKeyRecord } from '../../src/authentication/public-key.ts';
import { parseSigningKey } from '../../src/authentication/signing-key.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { fakeTerminal } from './fake-terminal.ts';

const xml = `<?xml version="1.0"?><feedback><report_metadata><org_name>Big Mail</org_name><email>a@big.example</email>
<report_id>1</report_id><date_range><begin>1795564800</begin><end>1795651199</end></date_range></report_metadata>
<policy_published><domain>example.org</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.1</source_ip>
<count>7</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>example.org</header_from></identifiers><auth_results><spf><domain>example.org</domain>
<result>fail</result></spf></auth_results></record></feedback>`;

/** An archive of one file, as the programs of the large providers make it: its lengths behind the data. */
function zip(text: string): Buffer {
  const data = deflateRawSync(text);
  const name = Buffer.from('r.xml');
  const local = Buffer.alloc(30);
  local.write('PK\x03\x04', 'latin1');
  local.writeUInt16LE(8, 6);
  local.writeUInt16LE(8, 8);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.write('PK\x01\x02', 'latin1');
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(data.length, 20);
  central.writeUInt32LE(Buffer.byteLength(text), 24);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt32LE(local.length + name.length + data.length, 16);
  return Buffer.concat([local, name, data, central, name, end]);
}

describe('the commands about the names of senders', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dmarc-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('SEC-DMARC-3 show a report, as it is, in gzip or in ZIP', async () => {
    for (const [name, octets] of [
      ['r.xml', Buffer.from(xml)],
      ['r.xml.gz', gzipSync(xml)],
      ['r.zip', zip(xml)],
    ] as const) {
      writeFileSync(join(folder, name), octets);
      const terminal = fakeTerminal({ folder });
      expect(await runCommand(['dmarc', 'read', name], terminal)).toBe(0);
      expect(terminal.output()).toMatch(/^example\.org, by Big Mail, 2026-11-25T00:00 to 2026-11-25T23:59 UTC\n/);
      expect(terminal.output()).toMatch(/\n7 +192\.0\.2\.1 +example\.org +pass +fail +none/);
    }
  });

  it('SEC-DMARC-3 refuse what is none, and what would fill the memory', async () => {
    const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024));
    for (const octets of [Buffer.from('<a/>'), Buffer.from('PK\x03\x04'), Buffer.from([0x1f, 0x8b, 1]), bomb]) {
      writeFileSync(join(folder, 'r'), octets);
      expect(await runCommand(['dmarc', 'read', 'r'], fakeTerminal({ folder }))).toBe(1);
    }
  });

  it('SEC-DKIM-2 make a key for its owner alone, its record and the line for the configuration, and never twice', async () => {
    for (const type of ['rsa', 'ed25519']) {
      const terminal = fakeTerminal({ folder });
      expect(await runCommand(['dkim', 'keygen', 'Example.org', `s-${type}`, '--type', type], terminal)).toBe(0);
      const file = join(folder, `s-${type}.example.org.pem`);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(parseSigningKey(readFileSync(file, 'utf8'), 'example.org', 's')).toMatchObject({
        algorithm: `${type}-sha256`,
      });
      const record = [...terminal.output().matchAll(/"([^"]{1,255})"(?= (?:"|\)))/g)].map(([, text]) => text).join('');
      expect(parseKeyRecord(record)).toMatchObject({ type });
      expect(terminal.output()).toContain(`s-${type}._domainkey.example.org. IN TXT (`);
      expect(terminal.output()).toContain(JSON.stringify({ domain: 'example.org', selector: `s-${type}`, key: file }));
      expect(await runCommand(['dkim', 'keygen', 'example.org', `s-${type}`], fakeTerminal({ folder }))).toBe(1);
    }
  });
});
