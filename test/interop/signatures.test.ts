import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headerFields, splitMessage } from '@posthorn/smtp/message/header';
import { authenticate, dkimSign } from 'mailauth';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BodyDigests } from '../../packages/posthorn/src/authentication/body-digest.ts';
import { composeArcSet } from '../../packages/posthorn/src/authentication/seal-arc.ts';
import { formatKeyRecord } from '../../packages/posthorn/src/authentication/signing-key.ts';
import { ArcVerification } from '../../packages/posthorn/src/authentication/verify-arc.ts';
import { newKey, resolverWith, signed, time, verified } from '../../packages/posthorn/test/authentication/signing.ts';
import { hasPeers } from './peers/peer.ts';
import { runProgram } from './run-program.ts';

const rsa = newKey('rsa');
const ed25519 = newKey('ed25519', { selector: 'two' });
const keys = resolverWith(rsa, ed25519);
const pem = rsa.key.export({ format: 'pem', type: 'pkcs8' }).toString();

/** The name system as mailauth asks it. */
async function resolve(name: string, type: string): Promise<string[][]> {
  const key = [rsa, ed25519].find(({ selector, domain }) => name === `${selector}._domainkey.${domain}`);
  if (key === undefined || type !== 'TXT') throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
  return [[formatKeyRecord(key)]];
}

const header = 'From: Bob <bob@example.com>\r\nTo: alice@example.org\r\nDate: Wed, 25 Nov 2026 00:00:00 +0000\r\n';
const messages: Readonly<Record<string, string>> = {
  plain: `${header}Subject: Walk\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n`,
  folded: `${header}Subject:  A \t long\r\n\t walk \r\nCc: a@b.example,\r\n c@d.example\r\nX-Other:\r\n\r\nHello\r\n`,
  blanks: `${header}Subject: x\r\n\r\n  Hello \t there  \r\n\t\r\n \r\nBob \r\n\r\n\r\n`,
  'no body': `${header}Subject: x\r\n\r\n`,
  'empty lines': `${header}Subject: x\r\n\r\n\r\n\r\n`,
  'several of a name': `${header}Subject: x\r\nReferences: <1@a>\r\nReceived: a\r\nReceived: b\r\nSubject: y\r\n\r\nHello\r\n`,
  'eight bits': `${header}Subject: =?utf-8?q?x?=\r\n\r\n${Buffer.from('Grüße, schöne Wörter\r\n').toString('latin1')}`,
  long: `${header}Subject: x\r\n\r\n${'A line of a long letter.  It goes on.\r\n'.repeat(20_000)}`,
};
const each = Object.entries(messages);

function open(text: string) {
  const { header, body } = splitMessage(Buffer.from(text, 'latin1'));
  return { fields: [...headerFields(header)], body };
}

async function chainOf(text: string) {
  const { fields, body } = open(text);
  const digests = new BodyDigests();
  const chain = new ArcVerification(fields, digests, Date.now());
  digests.write(body);
  return chain.result(keys);
}

describe('mailauth and Posthorn', () => {
  it.each(each)('SEC-DKIM-2 mailauth verifies what Posthorn signs: %s', async (_, text) => {
    const result = await authenticate(Buffer.from(signed(text, rsa, ed25519), 'latin1'), {
      resolver: resolve,
      disableDmarc: true,
      disableBimi: true,
    });
    const results = result.dkim?.results.map(({ status }) => status.result);
    expect(results?.sort()).toEqual(['pass', 'pass']);
  });

  it.each(each)('SEC-DKIM-1 Posthorn verifies what mailauth signs: %s', async (_, text) => {
    const signer = { signingDomain: 'example.com', selector: 'one', privateKey: pem };
    for (const canonicalization of ['relaxed/relaxed', 'simple/simple', 'relaxed/simple']) {
      const { signatures } = await dkimSign(Buffer.from(text, 'latin1'), {
        canonicalization,
        signTime: new Date(time),
        ...signer,
        signatureData: [signer],
      });
      expect(await verified(signatures + text, keys)).toMatchObject([{ result: 'pass' }]);
    }
  });

  it.each(each)(
    'SEC-ARC-1 mailauth believes the seal of Posthorn, and Posthorn one of mailauth on top: %s',
    async (_, text) => {
      const { fields, body } = open(text);
      const digests = new BodyDigests();
      const digest = digests.of('relaxed');
      digests.write(body);
      const results = 'mx.example.com; spf=pass smtp.mailfrom=bob@example.com; arc=none';
      const bodyHash = digest.digest;
      const set = composeArcSet({ fields, bodyHash, results, chain: 'none', key: rsa, now: Date.now() });
      const sealed = `${set}${text}`;
      const checked = await authenticate(Buffer.from(sealed, 'latin1'), {
        resolver: resolve,
        disableDmarc: true,
        disableBimi: true,
        mta: 'mx.example.org',
        seal: { signingDomain: 'example.com', selector: 'one', privateKey: pem },
      });
      expect(checked.arc).toMatchObject({ status: { result: 'pass' } });
      const twice = `${checked.headers}${sealed}`;
      expect(await chainOf(twice)).toMatchObject({ result: 'pass', sets: 2 });
    },
  );
});

describe('OpenDKIM and Posthorn', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dkim-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  // It knows RSA alone.
  it.skipIf(!hasPeers('opendkim')).each(each)(
    'SEC-DKIM-2 OpenDKIM verifies what Posthorn signs: %s',
    async (_, text) => {
      const [config, known, message] = ['conf', 'keys', 'message'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      writeFileSync(known, `one._domainkey.example.com ${formatKeyRecord(rsa)}\n`);
      writeFileSync(config, `Mode v\nTestPublicKeys ${known}\nUserID root\n`);
      writeFileSync(message, signed(text, rsa), 'latin1');
      const said = await runProgram('opendkim', ['-x', config, '-t', message, '-v', '-v']);
      expect(said).toMatch(/verification \(s=one,? d=example\.com[^)]*\) succeeded/);
    },
  );

  it.skipIf(!hasPeers('opendkim')).each(each)(
    'SEC-DKIM-1 Posthorn verifies what OpenDKIM signs: %s',
    async (_, text) => {
      const [config, key, message] = ['conf', 'key', 'message'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      writeFileSync(key, pem, { mode: 0o600 });
      writeFileSync(message, text, 'latin1');
      // Its test mode does not keep the blanks behind a colon, which the simple form of a header is made of.
      for (const form of ['relaxed/relaxed', 'relaxed/simple']) {
        const signing = ['Mode s', 'Domain example.com', 'Selector one', `KeyFile ${key}`, `Canonicalization ${form}`];
        writeFileSync(config, `${signing.join('\n')}\nUserID root\nRequireSafeKeys no\n`);
        const said = await runProgram('opendkim', ['-x', config, '-t', message, '-v', '-v', '-v']);
        const [, value = ''] = /hname='DKIM-Signature' hvalue='([^']*)'/.exec(said) ?? [];
        const output = `DKIM-Signature: ${value.replace(/\r?\n/g, '\r\n')}\r\n${text}`;
        expect(await verified(output, keys, { now: Date.now() })).toMatchObject([{ result: 'pass' }]);
      }
    },
  );
});
