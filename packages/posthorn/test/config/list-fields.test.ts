import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/config/check-config.ts';

/** What is wrong with a domain, as paths and messages. */
function mistakesOf(domain: Record<string, unknown>, more: Record<string, unknown> = {}): string[] {
  const checked = checkConfig({
    hostname: 'mx.example.org',
    dataDir: '/var/lib/posthorn',
    listeners: [{ role: 'mx' }],
    domains: { 'example.org': { deliver: 'maildir:/var/mail/{local}', mailboxes: ['alice'], ...domain } },
    ...more,
  });
  return 'mistakes' in checked ? checked.mistakes.map(({ path, message }) => `${path} ${message}`) : [];
}

const list = (more: Record<string, unknown>) => mistakesOf({ lists: { news: { owner: ['alice'], ...more } } });

describe('a list', () => {
  it('may have all of its fields', () => {
    expect(
      list({
        members: ['alice', 'bob@far.example'],
        file: 'members.txt',
        postedBy: ['alice'],
        verp: true,
        id: 'news.example.org',
        name: 'News',
        help: ['https://example.org/help'],
        unsubscribe: ['https://example.org/u', 'mailto:news-request@example.org'],
        oneClick: true,
        subscribe: ['mailto:news-request@example.org'],
        post: ['mailto:news@example.org'],
        archive: ['https://example.org/archive'],
      }),
    ).toEqual([]);
    expect(mistakesOf({ lists: { news: {} } })).toEqual([]);
  });

  it.each([
    [{ members: ['nobody'] }, 'members[0] leads to nobody@example.org'],
    [{ members: ['|cat'] }, 'members[0] must be a mailbox'],
    [{ owner: ['nobody'] }, 'owner[0] leads to nobody@example.org'],
    [{ owner: [] }, 'owner '],
    [{ postedBy: 'everyone' }, 'postedBy must be "anyone", "members" or a list'],
    [{ id: 'news' }, 'id must be a list identifier'],
    [{ help: ['example.org/help'] }, 'help[0] must be a URL'],
    [{ oneClick: true }, 'oneClick needs one https URL'],
    [{ oneClick: true, unsubscribe: ['https://a.example/1', 'https://a.example/2'] }, 'oneClick needs one https URL'],
  ])('LOC-LS-2 is faulty: %j', (fields, mistake) => {
    expect(list(fields)).toEqual([expect.stringContaining(mistake)]);
  });

  it('must not have the name of a mailbox', () => {
    expect(mistakesOf({ lists: { alice: {} } })).toEqual([
      expect.stringContaining('alice is a list and something else'),
    ]);
  });
});

describe('the answer of a user who is away', () => {
  const vacation = (more: Record<string, unknown>) => mistakesOf({ vacations: { alice: { text: 'Away', ...more } } });

  it('may have all of its fields', () => {
    expect(
      vacation({
        subject: 'Away',
        from: 'Alice Smith <alice@example.org>',
        addresses: ['alice@home.example'],
        interval: '3d',
        since: '2026-12-24',
        until: '2026-12-31T08:00:00+01:00',
      }),
    ).toEqual([]);
  });

  it.each([
    [{ text: ' ' }, 'text must be a text'],
    [{ from: 'Alice' }, 'from must be a mail address'],
    [{ from: 'a@b.example, c@d.example' }, 'from must be a mail address'],
    [{ subject: 'a\nb' }, 'subject must be a subject'],
    [{ until: '24.12.2026' }, 'until must be a day or an instant'],
    [{ interval: '1s' }, 'interval must be a duration'],
  ])('LOC-VAC-2 is faulty: %j', (fields, mistake) => {
    expect(vacation(fields)).toEqual([expect.stringContaining(mistake)]);
  });

  it('is of a mailbox of the domain', () => {
    expect(mistakesOf({ vacations: { bob: { text: 'Away' } } })).toEqual([
      expect.stringContaining('vacations.bob is no mailbox of the domain'),
    ]);
  });
});

describe('marks of hostile mail', () => {
  it('DSN-18 are a field, its text and what is done', () => {
    const hostile = (mark: Record<string, unknown>) => mistakesOf({}, { hostile: [mark] });
    expect(hostile({ field: 'X-Virus', value: 'yes', action: 'discard' })).toEqual([]);
    expect(hostile({ field: 'X Virus', value: 'yes' })).toEqual([
      expect.stringContaining('must be the name of a header'),
    ]);
    expect(hostile({ field: 'X-Virus', value: 'yes', action: 'bounce' })).toEqual([
      expect.stringContaining('must be "refuse" or "discard"'),
    ]);
  });
});
