import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/config/check-config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { newPem } from '../authentication/signing.ts';

const base = {
  hostname: 'mx.example.org',
  dataDir: 'data',
  listeners: [{ role: 'mx', port: 2525 }],
  domains: { 'example.org': { deliver: 'maildir:mail/{local}', mailboxes: '*' } },
};

describe('what a configuration says of senders', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keys-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function load(key: string) {
    const file = join(folder, 'posthorn.json');
    const sign = [{ domain: 'example.org', selector: 's1', key }];
    writeFileSync(file, JSON.stringify({ ...base, mailAuthentication: { dkim: { sign } } }));
    return loadConfig(file);
  }

  it('SEC-SPF-2 SEC-DMARC-2 records by default, marks what a domain does not vouch for, and refuses nothing', () => {
    const checked = checkConfig(base);
    if (!('config' in checked)) throw new Error('mistakes');
    expect(checked.config.mailAuthentication).toEqual({
      spf: 'record',
      dkim: { verify: true, require: 'nothing', sign: [] },
      dmarc: 'mark',
      arc: { verify: 'record', trust: [] },
    });
  });

  it('SEC-DKIM-2 names a key that is missing, that everybody may read, or that is none', async () => {
    writeFileSync(join(folder, 'good.pem'), newPem('ed25519'), { mode: 0o600 });
    writeFileSync(join(folder, 'open.pem'), newPem('ed25519'), { mode: 0o600 });
    chmodSync(join(folder, 'open.pem'), 0o644);
    writeFileSync(join(folder, 'bad.pem'), 'no key', { mode: 0o600 });
    const found = await load('good.pem');
    expect(found).toMatchObject({
      config: { mailAuthentication: { dkim: { sign: [{ key: join(folder, 'good.pem') }] } } },
    });
    const cases = [
      ['none.pem', /^cannot be read: .*there is no such file$/],
      ['open.pem', /^may be used by everybody on this host/],
      ['bad.pem', /^is no private key in PEM/],
    ] as const;
    for (const [file, message] of cases) {
      const checked = await load(file);
      const [mistake] = 'mistakes' in checked ? checked.mistakes : [];
      expect(mistake).toMatchObject({
        path: 'mailAuthentication.dkim.sign[0].key',
        message: expect.stringMatching(message),
      });
    }
  });
});
