import { readFileSync } from 'node:fs';
import { headerFields, splitMessage } from '@posthorn/smtp/message/header';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { BodyDigests } from '../../src/authentication/body-digest.ts';
import { composeArcSet } from '../../src/authentication/seal-arc.ts';
import { parseSigningKey } from '../../src/authentication/signing-key.ts';
import { ArcVerification } from '../../src/authentication/verify-arc.ts';
import { createFixtureResolver } from '../../src/dns/fixture-resolver.ts';

interface Section<Test> {
  readonly description: string;
  readonly tests: Readonly<Record<string, Test>>;
  readonly domain: string;
  readonly sel: string;
  readonly privatekey: string;
  readonly 'txt-records': Readonly<Record<string, string>>;
}

interface Validation {
  readonly message: string;
  readonly cv: string;
}

interface Signing {
  readonly message: string;
  readonly t: number;
  readonly 'sig-headers': string;
  readonly 'srv-id': string;
  readonly AS: string;
  readonly AMS: string;
  readonly AAR: string;
}

function sectionsOf<Test>(name: string): Section<Test>[] {
  const text = readFileSync(new URL(`data/arc/${name}`, import.meta.url), 'utf8');
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as Section<Test> | null) ?? []);
}

function open(text: string) {
  const { header, body } = splitMessage(Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1'));
  return { fields: [...headerFields(header)], body };
}

function resolverOf(records: Readonly<Record<string, string>>) {
  return createFixtureResolver(
    Object.fromEntries(Object.entries(records).map(([name, text]) => [name, { txt: [text] }])),
  );
}

async function chainOf(message: string, records: Readonly<Record<string, string>>) {
  const { fields, body } = open(message);
  const digests = new BodyDigests();
  const verification = new ArcVerification(fields, digests, Date.UTC(2026, 0));
  digests.write(body);
  return verification.result(resolverOf(records));
}

for (const section of sectionsOf<Validation>('arc-draft-validation-tests.yml')) {
  describe(`the ARC suite: ${section.description}`, () => {
    const tests = Object.entries(section.tests).filter(([, { cv }]) => cv.trim() !== '');
    it.each(tests)('SEC-ARC-1 %s', async (_, { message, cv }) => {
      const { result } = await chainOf(message ?? '', section['txt-records']);
      expect(result).toBe(cv.trim().toLowerCase());
    });
  });
}

const tagsOf = (text: string) =>
  new Map(
    text.split(';').map((tag) => [tag.split('=')[0]?.trim(), tag.slice(tag.indexOf('=') + 1).replace(/\s+/g, '')]),
  );

for (const section of sectionsOf<Signing>('arc-draft-sign-tests.yml')) {
  describe(`the ARC suite, sealing: ${section.description}`, () => {
    const key = parseSigningKey(section.privatekey, section.domain, section.sel);
    it.each(Object.entries(section.tests))('SEC-ARC-1 %s', async (_, test) => {
      if (typeof key === 'string') throw new Error(key);
      const { fields, body } = open(test.message);
      const own = fields
        .filter(({ name, value }) => name === 'authentication-results' && value.startsWith(`${test['srv-id']};`))
        .map(({ value }) => value.slice(value.indexOf(';') + 1).trim());
      const digests = new BodyDigests();
      const digest = digests.of('relaxed');
      digests.write(body);
      const { result: chain } = await chainOf(test.message, section['txt-records']);
      if (chain === 'temperror') throw new Error('The suite has no such case');
      const set = composeArcSet({
        fields,
        bodyHash: digest.digest,
        results: [test['srv-id'], ...own].join('; '),
        chain,
        key,
        now: test.t * 1000,
        names: test['sig-headers'].split(':'),
      });
      if (test.AS === '') return expect(set).toBeUndefined();
      const [seal, signature, results] = [...headerFields(Buffer.from(set ?? '', 'latin1'))];
      const whole = (text: string) => text.replace(/\s+/g, ' ').trim();
      expect(whole(results?.value ?? '')).toBe(whole(test.AAR));
      expect(tagsOf(signature?.value ?? '')).toEqual(tagsOf(whole(test.AMS)));
      // Its value depends on where the lines of the signature end, which is free: that it fits is what counts.
      const [sealTags, wanted] = [tagsOf(seal?.value ?? ''), tagsOf(whole(test.AS))];
      expect([sealTags.delete('b'), wanted.delete('b')]).toEqual([true, true]);
      expect(sealTags).toEqual(wanted);
      const sealed = await chainOf(`${set}${test.message}`, section['txt-records']);
      expect(sealed.result).toBe(chain === 'fail' ? 'fail' : 'pass');
    });
  });
}
