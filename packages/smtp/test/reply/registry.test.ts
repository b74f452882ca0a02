import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeCode, describeStatus, fallbackStatus, replyCodes, statuses } from '@posthorn/smtp/reply/registry';
import type { Status } from '@posthorn/smtp/reply/reply';
import { describe, expect, it } from 'vitest';

const packages = fileURLToPath(new URL('../../../', import.meta.url));

/** Every literal reply of the sources: where it stands, its code and its status. */
function* literalReplies(): Generator<{ place: string; code: string; status: string | undefined }> {
  for (const name of ['smtp', 'posthorn']) {
    for (const file of readdirSync(`${packages}${name}/src`, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const text = readFileSync(`${packages}${name}/src/${file}`, 'utf8');
      for (const match of text.matchAll(/\breply\(\s*(\d+),\s*(?:'([^']*)'|undefined)/g)) {
        yield { place: `${name}/src/${file}`, code: match[1] as string, status: match[2] };
      }
    }
  }
}

describe('the registry', () => {
  it.each<[Status, string]>([
    ['2.6.0', 'content of the message'],
    ['5.6.0', 'content of the message'],
    ['5.6.1', 'media type not supported'],
    ['5.6.2', 'conversion needed but prohibited'],
    ['5.6.3', 'conversion needed but not supported'],
    ['2.6.4', 'converted with loss'],
    ['5.6.5', 'conversion failed'],
  ])('says of %s in a report: %s', (status, words) => {
    expect(describeStatus(status).endsWith(`: ${words}`)).toBe(true);
  });

  it('GEN-16 ENH-X ENH-6/X.6.10 has every code and status that Posthorn gives, of one class each', () => {
    const replies = [...literalReplies()];
    expect(replies.length).toBeGreaterThan(20);
    const strangers = replies.filter(({ code, status }) => {
      if (!replyCodes.has(code)) return true;
      return status !== undefined && (status[0] !== code[0] || !statuses.has(status.slice(2)));
    });
    expect(strangers).toEqual([]);
    // No longer used.
    expect(replies.filter(({ status }) => status?.endsWith('.6.10'))).toEqual([]);
  });

  it('has a meaning and a source for each entry, keys without leading zeros', () => {
    for (const [code, { meaning, source }] of replyCodes) {
      expect(code).toMatch(/^[2-5][0-5]\d$/);
      expect(meaning).not.toBe('');
      expect(source).toMatch(/^(RFC \d+ §[\d.]+(, )?)+$/);
    }
    for (const [key, { meaning, source }] of statuses) {
      expect(key).toMatch(/^[0-7]\.(0|[1-9]\d*)$/);
      expect(meaning).not.toBe('');
      expect(source).toMatch(/^(RFC \d+ §[\d.]+|IANA, .+)$/);
    }
  });

  it('says codes in words', () => {
    expect(describeCode(556)).toBe('domain takes no mail');
    expect(describeCode(299)).toBeUndefined();
  });

  it('ENH-X says statuses in words, unknown ones by their subject, or else by their class', () => {
    expect(describeStatus('5.1.1')).toBe('permanent failure: no such mailbox');
    expect(describeStatus('4.2.2')).toBe('temporary failure: mailbox full');
    expect(describeStatus('2.1.5')).toBe('success: recipient address is valid');
    expect(describeStatus('5.7.999')).toBe('permanent failure: security');
    expect(describeStatus('4.9.1')).toBe('temporary failure');
    expect(describeStatus('5.0.0')).toBe('permanent failure');
    expect(describeStatus('5.0.7')).toBe('permanent failure');
    expect(describeStatus('9.1.1' as Status)).toBe('unknown class: no such mailbox');
  });

  it('ENH-0 takes x.0.0 for a reply without status only when its code says no more', () => {
    expect(fallbackStatus(250)).toBe('2.0.0');
    expect(fallbackStatus(452)).toBe('4.0.0');
    expect(fallbackStatus(550)).toBe('5.0.0');
    expect(fallbackStatus(599)).toBe('5.0.0');
    expect(fallbackStatus(556)).toBe('5.1.10');
    expect(fallbackStatus(535)).toBe('5.7.8');
    expect(fallbackStatus(503)).toBe('5.5.1');
    expect(fallbackStatus(354)).toBeUndefined();
    for (const code of replyCodes.keys()) {
      const status = fallbackStatus(Number(code));
      if (code.startsWith('3')) expect(status).toBeUndefined();
      else {
        expect(status?.[0]).toBe(code[0]);
        expect(statuses.has(status?.slice(2) ?? '')).toBe(true);
      }
    }
  });
});
