import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { HeaderField } from '@posthorn/smtp/message/header';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyDigest } from '../../src/authentication/body-digest.ts';
import { chooseFields, signedText } from '../../src/authentication/canonical-field.ts';
import { parseKeyRecord } from '../../src/authentication/public-key.ts';
import { formatKeyRecord, parseSigningKey } from '../../src/authentication/signing-key.ts';
import { parseTagList } from '../../src/authentication/tag-list.ts';
import { createFixtureResolver } from '../../src/dns/fixture-resolver.ts';
import { newKey, newPem, resolverWith, signed, time, verified } from './signing.ts';

const message =
  'Received: from a.example\r\nFrom: Bob <bob@example.com>\r\nTo: alice@example.org\r\nSubject: A  long\r\n  walk \r\n' +
  'Date: Wed, 25 Nov 2026 00:00:00 +0000\r\n\r\nHello \t there,\r\n \r\nBob\t\r\n\r\n\r\n';
const rsa = newKey('rsa');
const ed25519 = newKey('ed25519', { selector: 'two' });
const keys = resolverWith(rsa, ed25519);

/** A signature by hand, with any tags. */
function signedWith(tags: string, text = message, names = 'from:to'): string {
  const [header = '', body = ''] = text.split(/\r\n\r\n([\s\S]*)/);
  const fields = header.split(/\r\n(?![ \t])/).map((line) => new HeaderField(Buffer.from(`${line}\r\n`)));
  const digest = new BodyDigest(
    tags.includes('/relaxed') ? 'relaxed' : 'simple',
    Number(/l=(\d+)/.exec(tags)?.[1] ?? 1e9),
  );
  digest.write(Buffer.from(body));
  const field = `DKIM-Signature: ${tags}; h=${names}; bh=${digest.digest.toString('base64')}; b=\r\n`;
  const form = /c=relaxed/.test(tags) ? 'relaxed' : 'simple';
  const octets = signedText(chooseFields(fields, names.split(':')), field, form);
  return `${field.replace('b=\r\n', `b=${sign('sha256', octets, rsa.key).toString('base64')}\r\n`)}${text}`;
}

const only = async (text: string, lookups = keys) => (await verified(text, lookups))[0];

describe('a DKIM signature', () => {
  it('SEC-DKIM-1 SEC-DKIM-2 of RSA and of Ed25519 passes side by side, however the body is cut', async () => {
    const text = signed(message, rsa, ed25519);
    for (const piece of [1, 2, 3, 7, 65_536]) {
      const results = await verified(text, keys, { piece });
      expect(results.map(({ result, algorithm, selector }) => [result, algorithm, selector])).toEqual([
        ['pass', 'rsa-sha256', 'one'],
        ['pass', 'ed25519-sha256', 'two'],
      ]);
    }
  });

  it('SEC-DKIM-2 keeps to lines of 78 characters and names From once more than it is there', () => {
    const [field = ''] = signed(message, rsa).split(/\r\n(?=Received)/);
    expect(field.split('\r\n').every((line) => line.length <= 78)).toBe(true);
    expect(
      /h=([^;]*)/
        .exec(field)?.[1]
        ?.split(':')
        .filter((name) => name.trim() === 'From'),
    ).toHaveLength(2);
  });

  it('SEC-DKIM-2 breaks when a field that is signed is added, changed or removed, and when the body is', async () => {
    const text = signed(message, rsa);
    for (const change of [
      (all: string) => `From: eve@example.net\r\n${all}`,
      (all: string) => `Subject: Other\r\n${all}`,
      (all: string) => `Cc: eve@example.net\r\n${all}`,
      (all: string) => all.replace('walk', 'run'),
      (all: string) => all.replace('To: alice@example.org\r\n', ''),
      (all: string) => all.replace('Hello', 'Hallo'),
      (all: string) => `${all}More\r\n`,
    ])
      expect(await only(change(text))).toMatchObject({ result: 'fail' });
    for (const change of [
      (all: string) => `Received: from b.example\r\n${all}`,
      (all: string) => all.replace('Subject: A  long\r\n  walk', 'SUBJECT:A long walk'),
      (all: string) => all.replace('Hello \t there', 'Hello there'),
      (all: string) => `${all}\r\n \r\n`,
    ])
      expect(await only(change(text))).toMatchObject({ result: 'pass' });
  });

  it('SEC-DKIM-1 takes the last of several fields first', async () => {
    const text = signedWith('v=1; a=rsa-sha256; d=example.com; s=one', message, 'from:to:x');
    expect(await only(`To: first@example.org\r\n${text}`)).toMatchObject({ result: 'pass' });
  });

  it('SEC-DKIM-1 is read in its simple and in its relaxed form, of header and of body', async () => {
    for (const form of ['', '; c=simple', '; c=relaxed', '; c=simple/relaxed', '; c=relaxed/relaxed']) {
      expect(await only(signedWith(`v=1; a=rsa-sha256; d=example.com; s=one${form}`))).toMatchObject({
        result: 'pass',
      });
    }
  });

  it('SEC-DKIM-1 keeps to its tags', async () => {
    const seconds = time / 1000;
    const base = 'v=1; a=rsa-sha256; d=example.com; s=one';
    const cases: readonly (readonly [string, string])[] = [
      [`${base}; t=${seconds - 10}; x=${seconds + 10}`, 'pass'],
      [`${base}; t=${seconds - 20}; x=${seconds - 10}`, 'fail'],
      [`${base}; t=${seconds}; x=${seconds - 10}`, 'fail'],
      [`${base}; t=${seconds + 86_400}`, 'fail'],
      [`${base}; i=@sub.example.com`, 'pass'],
      [`${base}; i=@example.net`, 'permerror'],
      [`${base}; q=dns/txt`, 'pass'],
      [`${base}; q=other`, 'permerror'],
      [`${base}; l=5`, 'policy'],
      [`${base}; l=99999`, 'permerror'],
      [`${base}; l=x`, 'permerror'],
      [base.replace('v=1', 'v=2'), 'permerror'],
      [base.replace('rsa-sha256', 'rsa-sha1'), 'permerror'],
      [base.replace('s=one', 's=none'), 'permerror'],
      [base.replace('s=one', 's=two'), 'permerror'],
      [`${base}; d=example.com`, 'permerror'],
    ];
    for (const [tags, result] of cases) expect([tags, (await only(signedWith(tags)))?.result]).toEqual([tags, result]);
    expect(await only(signedWith(base, message, 'to:subject'))).toMatchObject({ result: 'permerror' });
  });

  it('SEC-DKIM-1 is as good as its key', async () => {
    const record = formatKeyRecord(rsa);
    const name = 'one._domainkey.example.com';
    const at = (txt: readonly string[]) => createFixtureResolver({ [name]: { txt } });
    const text = signedWith('v=1; a=rsa-sha256; d=example.com; s=one; i=@sub.example.com');
    const cases: readonly (readonly [string, string])[] = [
      [record, 'pass'],
      [record.replace('v=DKIM1; ', ''), 'pass'],
      [`${record}; h=sha1:sha256; s=email; n=note; x=y`, 'pass'],
      [`${record}; t=y`, 'pass'],
      [`${record}; t=s`, 'permerror'],
      [`${record}; h=sha1`, 'permerror'],
      [`${record}; s=other`, 'permerror'],
      [record.replace('DKIM1', 'DKIM2'), 'permerror'],
      [record.replace('k=rsa', 'k=dsa'), 'permerror'],
      [record.replace(/p=.*/, 'p='), 'permerror'],
      [record.replace(/p=.*/, 'p=AAAA'), 'permerror'],
      ['p', 'permerror'],
    ];
    for (const [txt, result] of cases) expect([txt, (await only(text, at([txt])))?.result]).toEqual([txt, result]);
    expect(await only(text, at([record, record]))).toMatchObject({ result: 'permerror' });
    const failing = createFixtureResolver({ [name]: { fails: ['TXT'] } });
    expect(await only(text, failing)).toMatchObject({ result: 'temperror' });
  });

  it('SEC-DKIM-1 with a key of less than 1024 bits counts for nothing', () => {
    const short = createPublicKey(createPrivateKey(newPem('rsa', 768))).export({ type: 'spki', format: 'der' });
    expect(parseKeyRecord(`p=${short.toString('base64')}`)).toMatch(/too short/);
    expect(parseSigningKey(newPem('rsa', 768), 'example.com', 's')).toMatch(/too short/);
    const plain = createPublicKey(rsa.key).export({ type: 'pkcs1', format: 'der' });
    expect(parseKeyRecord(`p=${plain.toString('base64')}`)).toMatchObject({ bits: 2048 });
  });

  it('SEC-DKIM-1 is looked at in ten of a message at most', async () => {
    const text = signed(message, ...new Array<typeof ed25519>(30).fill(ed25519));
    expect(await verified(text, keys)).toHaveLength(10);
  });

  it('SEC-DKIM-1 of RFC 8463 is as printed there', async () => {
    const record = 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';
    const text = [
      'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;',
      ' d=football.example.com; i=@football.example.com;',
      ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :',
      ' subject : date : message-id : from : subject : date;',
      ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
      ' b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus',
      ' Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==',
      'From: Joe SixPack <joe@football.example.com>',
      'To: Suzie Q <suzie@shopping.example.net>',
      'Subject: Is dinner ready?',
      'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
      'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
      '',
      'Hi.',
      '',
      'We lost the game.  Are you hungry yet?',
      '',
      'Joe.',
      '',
    ].join('\r\n');
    const lookups = createFixtureResolver({ 'brisbane._domainkey.football.example.com': { txt: [record] } });
    expect(await only(text, lookups)).toMatchObject({ result: 'pass', domain: 'football.example.com' });
  });

  it('SEC-DKIM-1 gets a result, whatever it holds', async () => {
    const piece = fc.constantFrom(
      'v=1',
      ';',
      'a=rsa-sha256',
      'd=example.com',
      's=one',
      'h=from',
      'bh=AAAA',
      'b=AAAA',
      '=',
      ' ',
      'l=9',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(piece, fc.string({ maxLength: 9 })), { maxLength: 40 }), async (pieces) => {
        const field = pieces.join('').replace(/[\r\n]/g, '');
        expect((await verified(`DKIM-Signature: ${field}\r\n${message}`, keys))[0]?.result).not.toBe('pass');
      }),
    );
    expect(parseTagList(`${'a'.repeat(50_000)};${';'.repeat(50_000)}`)).toBeUndefined();
  });
});

describe('the digest of a body', () => {
  const octets = fc.array(fc.constantFrom('a', ' ', '\t', '\r\n', '\r\n\r\n', 'word  word', '\r\n ', 'é'), {
    maxLength: 40,
  });

  function expected(body: string, form: 'simple' | 'relaxed'): string {
    const lines = form === 'relaxed' ? body.replace(/[ \t]+/g, ' ').replace(/ (?=\r\n|$)/g, '') : body;
    const text = lines.replace(/(?:\r\n)+$/, '');
    const whole = text === '' && form === 'relaxed' ? '' : `${text}\r\n`;
    return createHash('sha256').update(Buffer.from(whole, 'latin1')).digest('hex');
  }

  it('SEC-DKIM-1 SEC-DKIM-2 is that of the text as it is defined, however it is cut', () => {
    fc.assert(
      fc.property(octets, fc.integer({ min: 1, max: 9 }), fc.constantFrom('simple', 'relaxed'), (parts, size, form) => {
        const body = Buffer.from(parts.join(''), 'latin1');
        const digest = new BodyDigest(form);
        for (let at = 0; at < body.length; at += size) digest.write(body.subarray(at, at + size));
        expect(digest.digest.toString('hex')).toBe(expected(parts.join(''), form));
      }),
    );
  });
});
