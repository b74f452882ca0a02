import { fieldValue, headerFields } from '@posthorn/smtp/message/header';
import {
  formatListFields,
  isListId,
  isListUrl,
  listIdsOf,
  withoutListFields,
} from '@posthorn/smtp/message/list-fields';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const fields = {
  id: 'news.example.org',
  name: 'News of the house',
  help: ['mailto:news-request@example.org?subject=help'],
  unsubscribe: ['https://example.org/u', 'mailto:news-request@example.org?subject=unsubscribe'],
  oneClick: true,
  subscribe: ['mailto:news-request@example.org?subject=subscribe'],
  post: 'NO',
  owner: ['mailto:owner-news@example.org'],
  archive: ['https://example.org/archive'],
} as const;

describe('the fields of a list', () => {
  it('LOC-LS-2 are written once each, with URLs in angle brackets', () => {
    const header = Buffer.from(formatListFields(fields));
    expect([...headerFields(header)].map(({ name, value }) => `${name}: ${value}`)).toEqual([
      'list-id: News of the house <news.example.org>',
      'list-help: <mailto:news-request@example.org?subject=help>',
      'list-unsubscribe: <https://example.org/u>, <mailto:news-request@example.org?subject=unsubscribe>',
      'list-unsubscribe-post: List-Unsubscribe=One-Click',
      'list-subscribe: <mailto:news-request@example.org?subject=subscribe>',
      'list-post: NO',
      'list-owner: <mailto:owner-news@example.org>',
      'list-archive: <https://example.org/archive>',
    ]);
    expect(formatListFields({ id: 'a.b' })).toBe('List-Id: <a.b>\r\n');
    expect(formatListFields({ id: 'a.b', name: 'Grüße (neu)' })).toMatch(
      /^List-Id: =\?utf-8\?[qb]\?[^ ]+\?= <a\.b>\r\n$/,
    );
  });

  it('LOC-LS-2 replace those of the lists that a message came through, and nothing else', () => {
    const header = Buffer.from(
      'LIST-ID: x\r\n <old.example>\r\nList-Unsubscribe-Post: a\r\nSubject: \xe4\r\nList-Software: s\r\nList-Help : <h:h>\r\n',
      'latin1',
    );
    expect(withoutListFields(header).toString('latin1')).toBe('Subject: \xe4\r\nList-Software: s\r\n');
  });

  it('LOC-LS-2 tell which list a message came through, in any spelling', () => {
    const of = (text: string) => listIdsOf(Buffer.from(text));
    expect(of('List-Id: "a <b> c" < News.Example .org >\r\nlist-id:<x.y>\r\nList-Id: none\r\n')).toEqual([
      'news.example.org',
      'x.y',
    ]);
    expect(of('Subject: <a.b>\r\n')).toEqual([]);
  });

  it('LOC-LS-2 identify by a label and a domain of 255 octets at most', () => {
    expect(['a.b', "lena's-jokes.da39.021999.localhost"].every(isListId)).toBe(true);
    expect(['', 'a', 'a b.c', 'a..b', '.a', 'a.b>', `${'a'.repeat(254)}.b`].some(isListId)).toBe(false);
  });

  it('LOC-LS-2 hold no URL that would end its brackets', () => {
    expect(['https://example.org/a?b=c', 'mailto:a@b.c?subject=d'].every(isListUrl)).toBe(true);
    expect(
      ['example.org', 'https://a b', 'https://a>', 'https://a,b', 'https://ä.example', 'https:'].some(isListUrl),
    ).toBe(false);
  });

  it('LOC-LS-2 give back the identifier, whatever the name is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const name = text.replace(/[\r\n\0]/g, '');
        const header = Buffer.from(formatListFields({ id: 'a.example.org', name }));
        expect(listIdsOf(header)).toEqual(['a.example.org']);
        expect(header.every((octet) => octet < 128)).toBe(true);
        expect(fieldValue(header, 'list-id')).toMatch(/<a\.example\.org>$/);
      }),
    );
  });
});
