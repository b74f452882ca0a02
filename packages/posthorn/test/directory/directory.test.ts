import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDirectory, type DirectoryConfig } from '../../src/directory/directory.ts';
import type { DirectoryDomain } from '../../src/directory/directory-domain.ts';

function directory(domain: DirectoryDomain, config: Partial<DirectoryConfig> = {}) {
  return createDirectory({
    hostname: 'mx.example.org',
    ...config,
    domains: { 'example.org': domain, ...config.domains },
  });
}

const mailbox = (address: string, detail?: string) => ({
  kind: 'mailbox',
  address,
  ...(detail !== undefined && { detail }),
});

describe('lookup', () => {
  it('CMD-RCPT-3 tells mailboxes, unknown ones, relay domains and foreign domains apart', () => {
    const book = directory({ mailboxes: ['alice'] }, { domains: { 'relay.example': { relay: true } } });
    expect(book.lookup('alice@example.org')).toEqual(mailbox('alice@example.org'));
    expect(book.lookup('nobody@example.org')).toEqual({ kind: 'unknown-mailbox' });
    expect(book.lookup('anyone@relay.example')).toEqual({ kind: 'relay' });
    expect(book.lookup('anyone@elsewhere.example')).toEqual({ kind: 'foreign' });
    expect(book.lookup('anyone@sub.example.org')).toEqual({ kind: 'foreign' });
    expect(book.lookup('not an address')).toEqual({ kind: 'foreign' });
  });

  it('passes on what a relay domain has no mailbox for', () => {
    const book = directory({ mailboxes: ['alice'], relay: true });
    expect(book.lookup('alice@example.org')).toEqual(mailbox('alice@example.org'));
    expect(book.lookup('bob@example.org')).toEqual({ kind: 'relay' });
  });

  it('LOC-2 compares local-parts without case unless told otherwise, and keeps how they are spelled', () => {
    const folding = directory({ mailboxes: ['Alice'], aliases: { Team: ['alice'] } });
    expect(folding.lookup('ALICE@EXAMPLE.org')).toEqual(mailbox('Alice@example.org'));
    expect(folding.lookup('team@example.org')).toMatchObject({ kind: 'alias' });
    expect(folding.expand('aLiCe@Example.ORG')).toEqual({ kind: 'recipients', recipients: ['aLiCe@Example.ORG'] });
    expect(folding.keyOf('aLiCe@Example.ORG')).toBe(folding.keyOf('alice@example.org'));
    const exact = directory({ mailboxes: ['Alice', 'alice'], caseSensitive: true });
    expect(exact.lookup('Alice@example.org')).toEqual(mailbox('Alice@example.org'));
    expect(exact.lookup('ALICE@example.org')).toEqual({ kind: 'unknown-mailbox' });
    expect(exact.lookup('PostMaster@example.org')).toEqual(mailbox('postmaster@example.org'));
    expect(exact.keyOf('Alice@example.org')).not.toBe(exact.keyOf('alice@example.org'));
  });

  it('LOC-2 takes composed and decomposed letters, A-labels and U-labels, quoted and unquoted forms for the same', () => {
    const book = createDirectory({
      hostname: 'mx.example.org',
      domains: { 'münchen.example': { mailboxes: ['jürgen', '"a b"'] } },
    });
    const jürgen = mailbox('jürgen@xn--mnchen-3ya.example');
    expect(book.lookup('ju\u0308rgen@MÜNCHEN.example')).toEqual(jürgen);
    expect(book.lookup('"jürgen"@xn--mnchen-3ya.example')).toEqual(jürgen);
    expect(book.lookup('"a\\ b"@münchen.example')).toEqual(mailbox('"a b"@xn--mnchen-3ya.example'));
  });

  it('LOC-3 looks the whole local-part up first, then the user before the separator, and gives the detail', () => {
    const book = directory({ mailboxes: ['alice', 'alice+bills'], aliases: { team: ['alice'] } });
    expect(book.lookup('alice+bills@example.org')).toEqual(mailbox('alice+bills@example.org'));
    expect(book.lookup('Alice+News+2@example.org')).toEqual(mailbox('alice@example.org', 'News+2'));
    expect(book.lookup('alice+@example.org')).toEqual(mailbox('alice@example.org', ''));
    expect(book.lookup('team+x@example.org')).toMatchObject({ kind: 'alias' });
    expect(book.lookup('+alice@example.org')).toEqual({ kind: 'unknown-mailbox' });
    expect(book.lookup('bob+news@example.org')).toEqual({ kind: 'unknown-mailbox' });
  });

  it('LOC-3 has separators as configured, or none, and leaves owner-x and x-request whole', () => {
    const dashed = directory({ mailboxes: ['alice', 'owner', 'list'], separator: '-=' });
    expect(dashed.lookup('alice-news@example.org')).toEqual(mailbox('alice@example.org', 'news'));
    expect(dashed.lookup('alice=news-x@example.org')).toEqual(mailbox('alice@example.org', 'news-x'));
    expect(dashed.lookup('alice+news@example.org')).toEqual({ kind: 'unknown-mailbox' });
    expect(dashed.lookup('owner-list@example.org')).toEqual({ kind: 'unknown-mailbox' });
    expect(dashed.lookup('list-request@example.org')).toEqual({ kind: 'unknown-mailbox' });
    const off = directory({ mailboxes: ['alice'], separator: '' });
    expect(off.lookup('alice+news@example.org')).toEqual({ kind: 'unknown-mailbox' });
  });

  it('takes every local-part for a mailbox where the domain says so', () => {
    const book = directory({ mailboxes: '*', aliases: { team: ['alice', 'bob'] } });
    expect(book.lookup('AnyOne+x@example.org')).toEqual(mailbox('anyone@example.org', 'x'));
    expect(book.lookup('team@example.org')).toMatchObject({ kind: 'alias' });
    expect(book.lookup('abuse@example.org')).toEqual(mailbox('abuse@example.org'));
  });

  it('CLI-MX-8 takes a literal of its own address for its home domain', () => {
    const book = directory({ mailboxes: ['alice'] }, { ownAddresses: ['192.0.2.1', '2001:db8::1'] });
    expect(book.lookup('alice@[192.0.2.1]')).toEqual(mailbox('alice@example.org'));
    expect(book.expand('Alice@[IPv6:2001:DB8::1]')).toMatchObject({ recipients: ['Alice@example.org'] });
    expect(book.mailboxOf('alice@[192.0.2.1]')).toBe('alice@example.org');
    expect(book.lookup('alice@[192.0.2.2]')).toEqual({ kind: 'foreign' });
  });
});

describe('postmaster and the other roles', () => {
  it('ADR-16 accepts postmaster in any case, bare and in every served domain, as a mailbox of its own or as a human', () => {
    const domains = { 'other.example': {} };
    const own = directory({ mailboxes: ['alice'] }, { domains });
    expect(own.lookup('PostMaster')).toEqual(mailbox('postmaster@example.org'));
    expect(own.expand('POSTMASTER')).toMatchObject({ recipients: ['POSTMASTER@example.org'] });
    expect(own.lookup('pOSTMASTER@OTHER.example')).toEqual(mailbox('postmaster@other.example'));
    expect(own.expand('postmaster@mx.example.org')).toMatchObject({ recipients: ['postmaster@example.org'] });
    const human = directory({ mailboxes: ['alice'] }, { domains, postmaster: 'alice@example.org' });
    for (const address of [
      'PostMaster',
      'Postmaster@other.example',
      'postmaster@example.org',
      'postmaster@mx.example.org',
    ]) {
      expect(human.expand(address)).toMatchObject({ recipients: ['alice@example.org'] });
    }
    const listed = directory({ mailboxes: ['Postmaster'] }, { postmaster: 'alice@example.org' });
    expect(listed.lookup('postmaster@example.org')).toEqual(mailbox('Postmaster@example.org'));
    const aliased = directory(
      { mailboxes: ['bob'], aliases: { POSTMASTER: ['bob'] } },
      { postmaster: 'x@example.org' },
    );
    expect(aliased.expand('postmaster')).toMatchObject({ recipients: ['bob@example.org'] });
  });

  it('ADR-16 has a postmaster even when nothing at all is served', () => {
    const bare = createDirectory({ hostname: 'mx.example.org', domains: {} });
    expect(bare.lookup('Postmaster')).toEqual(mailbox('postmaster@mx.example.org'));
    expect(bare.homeDomain).toBe('mx.example.org');
    const itself = directory({ mailboxes: [] }, { postmaster: 'PostMaster@Example.org' });
    expect(itself.lookup('postmaster')).toEqual(mailbox('postmaster@example.org'));
  });

  it('LOC-4 maps abuse, hostmaster, webmaster and mailer-daemon to the postmaster, and on to the human', () => {
    const human = directory(
      { mailboxes: ['alice', 'webmaster'], aliases: { abuse: ['sec@elsewhere.example'] } },
      { postmaster: 'alice@example.org' },
    );
    expect(human.expand('HostMaster@example.org')).toMatchObject({ recipients: ['alice@example.org'] });
    expect(human.expand('mailer-daemon@example.org')).toMatchObject({ recipients: ['alice@example.org'] });
    expect(human.lookup('webmaster@example.org')).toEqual(mailbox('webmaster@example.org'));
    expect(human.expand('abuse@example.org')).toMatchObject({ recipients: ['sec@elsewhere.example'] });
    const own = directory({ mailboxes: ['alice'] });
    expect(own.expand('abuse@example.org')).toMatchObject({ recipients: ['postmaster@example.org'] });
    expect(own.mailboxOf('postmaster@example.org')).toBe('postmaster@example.org');
  });

  it('leaves the roles of a relay domain to the host that has it', () => {
    const book = directory({ mailboxes: ['alice'] }, { domains: { 'relay.example': { relay: true } } });
    expect(book.lookup('postmaster@relay.example')).toEqual({ kind: 'relay' });
    expect(book.lookup('abuse@relay.example')).toEqual({ kind: 'relay' });
  });

  it('has its home in the host name, a domain above it, or the first local one', () => {
    const home = (hostname: string, domains: DirectoryConfig['domains']) =>
      createDirectory({ hostname, domains }).homeDomain;
    expect(home('MX.Example.org', { 'a.test': {}, 'mx.example.org': {}, 'example.org': {} })).toBe('mx.example.org');
    expect(home('mx.a.example.org', { 'a.test': {}, 'example.org': {} })).toBe('example.org');
    expect(home('mx.example.net', { 'r.test': { relay: true }, 'a.test': {}, 'b.test': {} })).toBe('a.test');
  });
});

describe('expand', () => {
  const recipients = (...list: string[]) => ({ kind: 'recipients', recipients: list });

  it('LOC-AL-1 expands nested aliases, each recipient once, in order', () => {
    const book = directory({
      mailboxes: ['alice', 'bob', 'carol'],
      aliases: {
        all: ['staff', 'bosses', 'Bob@EXAMPLE.org'],
        staff: ['alice', 'bob', 'x@else.example'],
        bosses: ['carol', 'ALICE', 'x@Else.example'],
      },
    });
    expect(book.expand('all@example.org')).toEqual(
      recipients('alice@example.org', 'bob@example.org', 'x@else.example', 'carol@example.org'),
    );
    expect(book.expand('stranger@else.example')).toEqual(recipients('stranger@else.example'));
    expect(book.expand('nobody@example.org')).toEqual(recipients('nobody@example.org'));
  });

  it('LOC-AL-1 finds loops, and nesting beyond the depth limit', () => {
    const loop = directory({ aliases: { a: ['b'], b: ['c'], c: ['x@else.example', 'a'] } });
    expect(loop.expand('a@example.org')).toEqual({ kind: 'loop' });
    const chain = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`a${index}`, [`a${index + 1}`]]));
    const deep = directory({ mailboxes: ['a30'], aliases: chain });
    expect(deep.expand('a0@example.org')).toEqual({ kind: 'loop' });
    expect(deep.expand('a15@example.org')).toEqual(recipients('a30@example.org'));
  });

  it('LOC-AL-1 stops at a self-reference and at a name with a backslash', () => {
    const book = directory({
      mailboxes: ['bob'],
      aliases: {
        alice: ['alice', 'archive@else.example'],
        bob: ['\\bob', 'alice'],
        both: ['\\bob'],
        Carol: ['CAROL@Example.org'],
      },
    });
    expect(book.expand('alice@example.org')).toEqual(recipients('alice@example.org', 'archive@else.example'));
    expect(book.expand('bob@example.org')).toEqual(
      recipients('bob@example.org', 'alice@example.org', 'archive@else.example'),
    );
    expect(book.expand('both@example.org')).toEqual(recipients('bob@example.org'));
    expect(book.mailboxOf('alice@example.org')).toBe('alice@example.org');
    expect(book.mailboxOf('carol@example.org')).toBe('Carol@example.org');
    expect(book.mailboxOf('both@example.org')).toBeUndefined();
  });

  it('keeps the detail of an address, and finds its mailbox', () => {
    const book = directory({ mailboxes: ['alice'], aliases: { news: ['alice+news'] } });
    expect(book.expand('news@example.org')).toEqual(recipients('alice+news@example.org'));
    expect(book.mailboxOf('alice+news@example.org')).toBe('alice@example.org');
    expect(book.keyOf('alice+news@example.org')).not.toBe(book.keyOf('alice@example.org'));
  });

  it('ends soon, and names nobody twice, whatever the aliases', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const target = fc.constantFrom(...names, '\\a', 'm', 'x@else.example', 'postmaster', 'A+x');
    const aliases = fc.dictionary(fc.constantFrom(...names), fc.array(target, { maxLength: 6 }));
    fc.assert(
      fc.property(aliases, fc.constantFrom(...names), (given, start) => {
        const book = directory({ mailboxes: ['m', 'a'], aliases: given });
        const expansion = book.expand(`${start}@example.org`);
        if (expansion.kind === 'loop') return;
        const keys = expansion.recipients.map((address) => book.keyOf(address));
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
    const wide = Object.fromEntries(
      Array.from({ length: 19 }, (_, index) => [`w${index}`, [`w${index + 1}`, `w${index + 1}`]]),
    );
    expect(directory({ mailboxes: ['w19'], aliases: wide }).expand('w0@example.org')).toEqual(
      recipients('w19@example.org'),
    );
  });
});

describe('programs and files of aliases', () => {
  const targeted = (...list: [address: string, target: string][]) => ({
    targeted: list.map(([address, target]) => ({ address, target })),
  });

  it('LOC-AL-2 are recipients of their own, a file once, a program once for each alias', () => {
    const book = directory({
      mailboxes: ['alice'],
      aliases: {
        all: ['one', 'two', 'alice', '/var/mail/all'],
        one: ['|/bin/run -x', '/var/mail/all', '/var/mail/folder/', '|/bin/run -x'],
        two: ['|/bin/run -x', '/var/mail/all'],
      },
    });
    expect(book.expand('all@example.org')).toEqual({
      kind: 'recipients',
      recipients: ['alice@example.org'],
      ...targeted(
        ['one@example.org', 'pipe:/bin/run -x'],
        ['one@example.org', 'mbox:/var/mail/all'],
        ['one@example.org', 'maildir:/var/mail/folder/'],
        ['two@example.org', 'pipe:/bin/run -x'],
      ),
    });
    expect(book.lookup('one@example.org')).toMatchObject({ kind: 'alias', targets: [] });
    expect(book.expansionOf('all@example.org')).toEqual(['one@example.org', 'two@example.org', 'alice@example.org']);
    expect(book.expansionOf('alice@example.org')).toBeUndefined();
  });

  it('LOC-AL-2 have names that are told apart from addresses', () => {
    expect(() => directory({ aliases: { a: ['|'] } })).toThrow('|');
    expect(() => directory({ aliases: { a: ['|x\0'] } })).toThrow();
    expect(() => directory({ aliases: { '/a': ['x@else.example'] } })).toThrow('/a');
    expect(directory({ aliases: { a: ['"/b"@else.example'] } }).expand('a@example.org')).toMatchObject({
      recipients: ['/b@else.example'],
    });
  });

  it('LOC-AL-2 LOC-FW-2 of an alias with an owner are sent on in its name', () => {
    const book = directory({
      mailboxes: ['alice', 'owner-box'],
      aliases: {
        team: ['alice', '|run', 'box'],
        'Owner-Team': ['alice'],
        box: ['team'],
        'owner-owner-team': ['alice'],
      },
    });
    expect(book.expand('TEAM+x@example.org')).toMatchObject({
      recipients: [],
      ...targeted(['TEAM+x@example.org', 'resend:']),
    });
    expect(book.resendingOf('team@example.org')).toEqual({
      owner: 'Owner-Team@example.org',
      expansion: {
        kind: 'recipients',
        recipients: ['alice@example.org'],
        ...targeted(['team@example.org', 'pipe:run'], ['box@example.org', 'resend:']),
      },
    });
    expect(book.resendingOf('owner-team@example.org')).toBeUndefined();
    expect(book.resendingOf('alice@example.org')).toBeUndefined();
  });
});

describe('users that moved', () => {
  const book = directory({
    mailboxes: ['alice', 'both'],
    aliases: { team: ['joe', 'gone'] },
    forwards: {
      joe: { to: 'joe@else.example', mode: 'tell' },
      gone: { to: 'x@else.example', mode: 'refuse' },
      here: { to: 'alice@example.org', mode: 'silent' },
      both: { to: 'both@else.example', mode: 'silent', keepCopy: true },
      secret: { to: 'secret@else.example', mode: 'tell', confidential: true, keepCopy: true },
      round: { to: 'round@example.org', mode: 'silent' },
    },
  });

  it('LOC-FW-1 CMD-RCPT-7 CMD-RCPT-8 are known with where they went, and whether they kept a mailbox', () => {
    expect(book.lookup('Joe+x@example.org')).toMatchObject({ kind: 'forward', to: 'joe@else.example', mode: 'tell' });
    expect(book.expand('joe@example.org')).toEqual({ kind: 'recipients', recipients: ['joe@else.example'] });
    expect(book.expand('both@example.org')).toMatchObject({ recipients: ['both@example.org', 'both@else.example'] });
    expect(book.mailboxOf('both@example.org')).toBe('both@example.org');
    expect(book.mailboxOf('joe@example.org')).toBeUndefined();
    expect(book.expand('here+news@example.org')).toMatchObject({ recipients: ['alice+news@example.org'] });
    expect(book.expand('team@example.org')).toMatchObject({ recipients: ['joe@else.example', 'gone@example.org'] });
    expect(book.expand('round@example.org')).toEqual({ kind: 'loop' });
    expect(() =>
      directory({ aliases: { a: ['alice'] }, forwards: { A: { to: 'x@y.example', mode: 'tell' } } }),
    ).toThrow('A');
  });

  it('LOC-FW-2 in confidence are sent on by the postmaster', () => {
    expect(book.expand('secret@example.org')).toEqual({
      kind: 'recipients',
      recipients: ['secret@example.org'],
      targeted: [{ address: 'secret@example.org', target: 'resend:' }],
    });
    expect(book.resendingOf('secret@example.org')).toEqual({
      owner: 'postmaster@example.org',
      expansion: { kind: 'recipients', recipients: ['secret@else.example'] },
    });
  });
});

describe('details of aliases', () => {
  it('LOC-3 go on to one target of ours, and nowhere else', () => {
    const book = directory(
      {
        mailboxes: ['alice'],
        separator: '-+',
        aliases: {
          chief: ['alice'],
          deep: ['chief'],
          away: ['x@else.example'],
          two: ['alice', 'x@else.example'],
          has: ['alice+own'],
        },
      },
      {
        domains: {
          'plain.example': { mailboxes: ['bob'], separator: '' },
          'b.example': { aliases: { bob: ['bob@plain.example'] } },
        },
      },
    );
    const expanded = (address: string) => {
      const expansion = book.expand(address);
      return expansion.kind === 'loop' ? expansion : expansion.recipients;
    };
    expect(expanded('chief+news@example.org')).toEqual(['alice-news@example.org']);
    expect(expanded('deep+news@example.org')).toEqual(['alice-news@example.org']);
    expect(expanded('away+news@example.org')).toEqual(['x@else.example']);
    expect(expanded('two+news@example.org')).toEqual(['alice@example.org', 'x@else.example']);
    expect(expanded('has+news@example.org')).toEqual(['alice+own@example.org']);
    expect(expanded('bob+news@b.example')).toEqual(['bob@plain.example']);
  });
});

describe('numbers of the telephone network', () => {
  const domains = { 'gw.example': { gateway: { services: ['fax'] }, mailboxes: ['bob', 'a=b'] } };
  const book = directory({ mailboxes: '*' }, { domains });

  it('EXT-GSTN-1 LOC-3 are recognised before anything is split at their plus', () => {
    expect(book.lookup('FAX=+390203/T33S=1@example.org')).toEqual(
      mailbox('"fax=+390203/t33s=1"@example.org'.replaceAll('"', '')),
    );
    expect(book.lookup('joe+fax@example.org')).toMatchObject({ detail: 'fax' });
    expect(book.lookup('FAX=+390203@gw.example')).toEqual({ kind: 'gateway' });
    expect(book.lookup('VOICE=+390203@gw.example')).toEqual({ kind: 'unknown-mailbox' });
    expect(book.lookup('FAX=+39x@gw.example')).toEqual({ kind: 'malformed' });
    expect(book.lookup('a=b@gw.example')).toEqual(mailbox('a=b@gw.example'));
    expect(book.lookup('bob@gw.example')).toMatchObject({ kind: 'mailbox' });
  });

  it('EXT-GSTN-2 are one however they are written', () => {
    expect(book.keyOf('FAX=+39-02.03/t33s=1@gw.example')).toBe(book.keyOf('/fax=+390203/T33S=1/@GW.example'));
    expect(book.keyOf('FAX=+390203@gw.example')).not.toBe(book.keyOf('FAX=+390204@gw.example'));
    expect(book.expand('FAX=+39-02/ATTN=Tom@gw.example')).toMatchObject({
      recipients: ['FAX=+39-02/ATTN=Tom@gw.example'],
    });
  });
});

describe('people', () => {
  it('CMD-VRFY-1 are found by their names, in any case and with any blanks', () => {
    const book = directory({
      mailboxes: ['fred', 'ann', 'Bob'],
      quota: 500,
      mailboxSettings: {
        fred: { fullName: 'Fred Smith', quota: 7 },
        ann: { fullName: 'Ann  SMITH' },
        bob: { disabled: true },
      },
    });
    const addresses = (name: string) => book.peopleNamed(name).map(({ address }) => address);
    expect(addresses(' fred   smith ')).toEqual(['fred@example.org']);
    expect(addresses('smith')).toEqual(['fred@example.org', 'ann@example.org']);
    expect(addresses('bob')).toEqual(['Bob@example.org']);
    expect(addresses('nobody')).toEqual([]);
    expect(book.settingsOf('fred+x@example.org')).toEqual({ fullName: 'Fred Smith', quota: 7 });
    expect(book.settingsOf('Bob@example.org')).toEqual({ quota: 500, disabled: true });
    expect(book.settingsOf('nobody@example.org')).toBeUndefined();
  });
});

describe('createDirectory', () => {
  it('refuses names that are none and names that are one', () => {
    expect(() => directory({ mailboxes: ['a b'] })).toThrow('a b');
    expect(() => directory({ mailboxes: ['alice', 'ALICE'] })).toThrow('alice and ALICE');
    expect(() => directory({ aliases: { team: ['two words'] } })).toThrow('two words');
    expect(() => directory({ aliases: { 'no one': ['x@else.example'] } })).toThrow('no one');
    expect(() => directory({}, { hostname: 'mx..org' })).toThrow('mx..org');
    expect(() => directory({}, { domains: { 'EXAMPLE.org': {} } })).toThrow('EXAMPLE.org');
    expect(() => directory({}, { postmaster: 'a b' })).toThrow('a b');
  });
});
