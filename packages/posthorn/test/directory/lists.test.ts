import { Failure } from '@posthorn/smtp/failure/failure';
import { describe, expect, it } from 'vitest';
import { createDirectory } from '../../src/directory/directory.ts';
import type { DirectoryDomain } from '../../src/directory/directory-domain.ts';

const news = { members: ['alice', 'bob@far.example'], owner: ['olga'] };
const directory = (domain: DirectoryDomain = {}) =>
  createDirectory({
    hostname: 'mx.example.org',
    domains: { 'example.org': { mailboxes: ['alice', 'olga'], lists: { News: news }, ...domain } },
  });

describe('lists of the directory', () => {
  it('are known by their address in any case, with their members, and stand for themselves', () => {
    const book = directory({ aliases: { all: ['news'] } });
    for (const address of ['news@example.org', 'NEWS@EXAMPLE.ORG', 'news+x@example.org']) {
      expect(book.lookup(address)).toEqual({ kind: 'list', address: 'News@example.org' });
      expect(book.expansionOf(address)).toEqual(['alice@example.org', 'bob@far.example']);
    }
    expect(book.expand('all@example.org')).toEqual({ kind: 'recipients', recipients: ['news@example.org'] });
    expect(book.mailboxOf('news@example.org')).toBeUndefined();
  });

  it.each(['+', '-', ''])(
    'LOC-4 LOC-3 have keepers and addresses for failures, whatever parts details: %j',
    (separator) => {
      for (const mailboxes of [['alice', 'olga'], '*'] as const) {
        const book = directory({ separator, mailboxes });
        for (const name of [
          'owner-news',
          'news-owner',
          'NEWS-request',
          'owner-news+bob=far.example',
          'Owner-News+a+b=c',
        ]) {
          const expansion = book.expand(`${name}@example.org`);
          const [keeper] = expansion.kind === 'recipients' ? expansion.recipients : [];
          expect(book.mailboxOf(keeper ?? '')).toBe('olga@example.org');
        }
      }
    },
  );

  it('leave their keepers to mailboxes and aliases of those names', () => {
    const book = directory({ aliases: { 'news-request': ['alice'] } });
    expect(book.expand('news-request@example.org')).toEqual({ kind: 'recipients', recipients: ['alice@example.org'] });
  });

  it('tell the members as they are now', () => {
    let members = ['alice'];
    const book = directory({ lists: { news: { owner: ['olga'], members: () => members } } });
    members = ['olga', 'bob@far.example'];
    expect(book.expansionOf('news@example.org')).toEqual(['olga@example.org', 'bob@far.example']);
  });

  it('cannot have a name that is a mailbox or an alias, nor members that are programs', () => {
    expect(() => directory({ mailboxes: ['news', 'olga'] })).toThrow(Failure);
    expect(() => directory({ aliases: { news: ['alice'] } })).toThrow(Failure);
    const book = directory({ lists: { news: { owner: ['olga'], members: ['|cat'] } } });
    expect(() => book.expansionOf('news@example.org')).toThrow(Failure);
  });
});
