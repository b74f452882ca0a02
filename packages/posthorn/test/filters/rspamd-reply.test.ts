import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRspamdReply } from '../../src/filters/rspamd-reply.ts';

const read = (said: object) => parseRspamdReply(JSON.stringify(said));
const bytes = (text: string) => Buffer.from(text);

describe('what Rspamd says', () => {
  it('passes, puts off, refuses, discards and holds back', () => {
    expect(read({ action: 'no action' })).toEqual({ kind: 'pass', changes: [] });
    for (const action of ['greylist', 'soft reject']) {
      expect(read({ action })).toEqual({
        kind: 'refuse',
        reply: { code: 451, status: '4.7.1', lines: ['Try again later'] },
      });
    }
    expect(read({ action: 'reject', messages: { smtp_message: 'Go\r\naway' } })).toEqual({
      kind: 'refuse',
      reply: { code: 554, status: '5.7.1', lines: ['Go  away'] },
    });
    expect(read({ action: 'discard' })).toMatchObject({ kind: 'discard' });
    expect(read({ action: 'reject', milter: { reject: 'discard' } })).toMatchObject({ kind: 'discard' });
    for (const said of [{ action: 'quarantine' }, { action: 'reject', milter: { reject: 'quarantine' } }]) {
      expect(read(said)).toMatchObject({ kind: 'pass', changes: [{ kind: 'hold' }] });
    }
  });

  it('marks spam by the field that it names, and renames it in words that are plain, encoded, or to be encoded', () => {
    const add = (name: string, value: string) => ({ kind: 'add', name, value: bytes(` ${value}`) });
    expect(read({ action: 'add header' })).toEqual({ kind: 'pass', changes: [add('X-Spam', 'Yes')] });
    expect(read({ action: 'add header', milter: { spam_header: 'X-Junk' } })).toEqual({
      kind: 'pass',
      changes: [add('X-Junk', 'Yes')],
    });
    expect(read({ action: 'add header', milter: { spam_header: { 'X-Level': '*****' } } })).toEqual({
      kind: 'pass',
      changes: [add('X-Level', '*****')],
    });
    const subjectOf = (subject: string) => {
      const verdict = read({ action: 'rewrite subject', subject });
      const change = verdict?.kind === 'pass' ? verdict.changes.at(-1) : undefined;
      return change !== undefined && 'value' in change ? change.value.toString() : undefined;
    };
    expect(subjectOf('[spam] hello')).toBe(' [spam] hello');
    expect(subjectOf('=?utf-8?q?=C3=A4?=')).toBe(' =?utf-8?q?=C3=A4?=');
    expect(subjectOf('ä')).toMatch(/^ =\?utf-8\?/);
  });

  it('adds and removes fields, first the one, then the other, and changes the envelope', () => {
    const milter = {
      add_headers: {
        'X-Text': 'a',
        'X-Top': { value: 'b', order: 0 },
        'X-End': { value: 'c', order: -1 },
        'X-Two': ['d', { value: 'e', order: 1 }],
        'X Bad': 'f',
        'X-None': 7,
      },
      remove_headers: { 'X-All': 0, 'X-Second': 2, 'X-Some': [1, 3] },
      change_from: 'new@example.org',
      add_rcpt: ['more@example.org'],
      del_rcpt: 'less@example.org',
    };
    const nothing = Buffer.alloc(0);
    expect(read({ action: 'no action', milter })).toEqual({
      kind: 'pass',
      changes: [
        { kind: 'remove', name: 'X-All' },
        { kind: 'change', index: 2, name: 'X-Second', value: nothing },
        { kind: 'change', index: 1, name: 'X-Some', value: nothing },
        { kind: 'change', index: 3, name: 'X-Some', value: nothing },
        { kind: 'add', name: 'X-Text', value: bytes(' a') },
        { kind: 'insert', index: 0, name: 'X-Top', value: bytes(' b') },
        { kind: 'add', name: 'X-End', value: bytes(' c') },
        { kind: 'add', name: 'X-Two', value: bytes(' d') },
        { kind: 'insert', index: 1, name: 'X-Two', value: bytes(' e') },
        { kind: 'sender', address: 'new@example.org', parameters: '' },
        { kind: 'remove-recipient', address: 'less@example.org' },
        { kind: 'add-recipient', address: 'more@example.org', parameters: '' },
      ],
    });
  });

  it.each(['', 'null', '[]', '{}', '{"action":7}', '<html>', '"reject"'])('is no judgement: %s', (text) => {
    expect(parseRspamdReply(text)).toBeUndefined();
  });

  it('is a judgement or none, whatever it is', () => {
    const said = fc.record({
      action: fc.constantFrom('reject', 'add header', 'rewrite subject', 'no action', 'other'),
      subject: fc.jsonValue(),
      messages: fc.jsonValue(),
      milter: fc.record({ add_headers: fc.jsonValue(), remove_headers: fc.jsonValue(), spam_header: fc.jsonValue() }),
    });
    fc.assert(
      fc.property(said, (each) => {
        expect(read(each)?.kind).toMatch(/^(pass|refuse)$/);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void parseRspamdReply(text)));
  });
});
