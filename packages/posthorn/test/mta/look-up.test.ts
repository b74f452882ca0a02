import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { startTestAgent } from './fixture.ts';
import { TestSession } from './session.ts';

const local = { networks: ['127.0.0.0/8'] };

/** The hosts of the examples, as one domain. */
function people(folder: string): Partial<ConfigInput> {
  return {
    hostname: 'mx.usc-isif.arpa',
    domains: {
      'USC-ISIF.ARPA': {
        deliver: `maildir:${folder}/mail/{local}`,
        mailboxes: ['Smith', 'Postel', 'Brown', 'Brown-2', 'gone'],
        mailboxSettings: {
          Smith: { fullName: 'Fred Smith' },
          Postel: { fullName: 'Jon Postel' },
          Brown: { fullName: 'Ann Gourzenkyinplatz' },
          'Brown-2': { fullName: 'Bob Gourzenkyinplatz' },
          gone: { disabled: true },
        },
        aliases: {
          'Example-People': [
            'Postel',
            'Fonebone@USC-ISIQ.ARPA',
            '@USC-ISIF.ARPA:Q-Smith@ISI-VAXA.ARPA',
            'Joe@USC-ISIF.ARPA',
            'Smith',
            'XYZ@USC-ISIC.ARPA',
          ],
          'Executive-Washroom-List': ['Smith', 'Postel'],
          single: ['Smith'],
          programs: ['/dev/null'],
        },
        forwards: {
          Joe: { to: 'Joe@USC-ISIQ.ARPA', mode: 'tell' },
          Jones: { to: 'Jones@USC-ISIQ.ARPA', mode: 'refuse' },
          quiet: { to: 'quiet@USC-ISIQ.ARPA' },
          secret: { to: 'secret@USC-ISIQ.ARPA', mode: 'tell', confidential: true },
          hush: { to: 'hush@USC-ISIQ.ARPA', mode: 'refuse', confidential: true },
        },
      },
      'relay.example': { relay: true },
    },
  };
}

describe('VRFY', () => {
  const open = () => startTestAgent((folder) => ({ ...people(folder), disclosure: { verify: local } }));

  it('EX-3 CMD-VRFY-1 CMD-VRFY-3 tells users with their names, those who moved, unknown and ambiguous ones', async () => {
    await using test = await open();
    await using session = await TestSession.connect(test.port);
    const verify = async (text: string) => (await session.lines(`VRFY ${text}`)).join('|');
    expect(await verify('Smith')).toBe('250 2.1.5 Fred Smith <Smith@usc-isif.arpa>');
    expect(await verify('<smith@USC-ISIF.ARPA>')).toBe('250 2.1.5 Fred Smith <Smith@usc-isif.arpa>');
    expect(await verify('Fred Smith')).toBe('250 2.1.5 Fred Smith <Smith@usc-isif.arpa>');
    expect(await verify('Joe')).toBe('251 2.1.5 User not local; will forward to <Joe@USC-ISIQ.ARPA>');
    expect(await verify('Jones')).toBe('551 5.1.6 User not local; please try <Jones@USC-ISIQ.ARPA>');
    expect(await verify('nobody')).toBe('550 5.1.1 No such user here');
    expect(await verify('nobody@usc-isif.arpa')).toBe('550 5.1.1 No such user here');
    expect(await verify('gone')).toMatch(/^550 5\.2\.1 /);
    expect(await verify('Gourzenkyinplatz')).toMatch(/^553-5\.1\.4 User ambiguous/);
  });

  it('EX-3 CMD-VRFY-3 REP-553 ENH-1/5.1.4 names the possibilities where a name is ambiguous', async () => {
    await using test = await startTestAgent((folder) => ({
      domains: {
        'example.org': {
          deliver: `maildir:${folder}/{local}`,
          mailboxes: ['fred', 'ann', 'pat'],
          mailboxSettings: {
            fred: { fullName: 'Fred Smith' },
            ann: { fullName: 'Smith' },
            pat: { fullName: 'P, Smith' },
          },
        },
      },
      disclosure: { verify: local, hidden: ['pat@example.org'] },
    }));
    await using session = await TestSession.connect(test.port);
    expect(await session.lines('VRFY Smith')).toEqual([
      '553-5.1.4 User ambiguous; the possibilities are',
      '553-5.1.4 Fred Smith <fred@example.org>',
      '553 5.1.4 Smith <ann@example.org>',
    ]);
    expect(await session.lines('VRFY pat')).toEqual([expect.stringMatching(/^252 2\.0\.0 /)]);
    await session.lines('EHLO x.example');
    await session.lines('MAIL FROM:<a@x.example>');
    expect(await session.lines('RCPT TO:<smith@example.org>')).toEqual(['553 5.1.4 User ambiguous']);
    expect(await session.lines('RCPT TO:<jones@example.org>')).toEqual([expect.stringMatching(/^550 5\.1\.1 /)]);
  });

  it('CMD-VRFY-2 CMD-VRFY-5 verifies nothing that is not here, and lists are verified as such', async () => {
    await using test = await open();
    await using session = await TestSession.connect(test.port);
    expect((await session.lines('VRFY x@relay.example'))[0]).toMatch(/^252 2\.0\.0 /);
    expect((await session.lines('VRFY x@elsewhere.example'))[0]).toMatch(/^252 2\.0\.0 /);
    expect(await session.lines('VRFY Example-People')).toEqual(['250 2.1.5 <Example-People@usc-isif.arpa>']);
    expect((await session.lines('VRFY'))[0]).toMatch(/^501 5\.5\.\d /);
    expect(await session.lines('VRFY quiet')).toEqual(['250 2.1.5 <quiet@usc-isif.arpa>']);
  });

  it('CMD-VRFY-5 REP-252 says 252 to whom nothing is disclosed, whoever is asked for', async () => {
    await using test = await startTestAgent(people);
    await using session = await TestSession.connect(test.port);
    for (const name of ['Smith', 'nobody', 'Jones', 'Joe@usc-isif.arpa', 'Gourzenkyinplatz'])
      expect((await session.lines(`VRFY ${name}`)).join('|')).toMatch(/^252 2\.0\.0 [^<]*$/);
  });

  it('CMD-VRFY-6 needs SMTPUTF8 for names that are not ASCII', async () => {
    await using test = await startTestAgent((folder) => ({
      domains: {
        'example.org': {
          deliver: `maildir:${folder}/{local}`,
          mailboxes: ['pele'],
          mailboxSettings: { pele: { fullName: 'Edson Pelé' } },
        },
      },
      disclosure: { verify: local },
    }));
    await using session = await TestSession.connect(test.port);
    expect((await session.lines('VRFY pele'))[0]).toMatch(/^25[02] 2\.6\.8 /);
    expect(await session.lines('VRFY pele SMTPUTF8')).toEqual(['250 2.1.5 Edson Pelé <pele@example.org>']);
  });

  it('CMD-EXPN-3 leaves a transaction as it is', async () => {
    await using test = await startTestAgent((folder) => ({
      ...people(folder),
      disclosure: { verify: local, expand: local },
    }));
    await using session = await TestSession.connect(test.port);
    await session.lines('EHLO x.example');
    await session.lines('MAIL FROM:<a@x.example>');
    await session.lines('RCPT TO:<Smith@usc-isif.arpa>');
    await session.lines('VRFY Smith');
    await session.lines('EXPN Example-People');
    expect((await session.lines('DATA'))[0]).toMatch(/^354/);
  });
});

describe('EXPN', () => {
  it('EX-4 CMD-EXPN-1 CMD-VRFY-4 names each member on a line of its own, without source routes', async () => {
    await using test = await startTestAgent((folder) => ({ ...people(folder), disclosure: { expand: local } }));
    await using session = await TestSession.connect(test.port);
    expect(await session.lines('EHLO x.example')).toContainEqual(expect.stringMatching(/^250[- ]EXPN$/));
    expect(await session.lines('EXPN Example-People')).toEqual([
      '250-2.1.5 Jon Postel <Postel@usc-isif.arpa>',
      '250-2.1.5 <Fonebone@USC-ISIQ.ARPA>',
      '250-2.1.5 <Q-Smith@ISI-VAXA.ARPA>',
      '250-2.1.5 <Joe@USC-ISIF.ARPA>',
      '250-2.1.5 Fred Smith <Smith@usc-isif.arpa>',
      '250 2.1.5 <XYZ@USC-ISIC.ARPA>',
    ]);
    expect(await session.lines('EXPN single')).toEqual(['250 2.1.5 Fred Smith <Smith@usc-isif.arpa>']);
    expect(await session.lines('EXPN Smith')).toEqual(['250 2.1.5 Fred Smith <Smith@usc-isif.arpa>']);
    expect(await session.lines('EXPN programs')).toEqual(['250 2.1.5 <programs@usc-isif.arpa>']);
    expect(await session.lines('EXPN no-list')).toEqual(['550 5.1.1 No such user here']);
  });

  it('EX-4 CMD-EXPN-2 REP-550 denies a list that is hidden, and all of it to clients of other networks', async () => {
    const hidden = ['Executive-Washroom-List@usc-isif.arpa'];
    await using test = await startTestAgent((folder) => ({ ...people(folder), disclosure: { expand: local, hidden } }));
    await using session = await TestSession.connect(test.port);
    expect(await session.lines('EXPN Executive-Washroom-List')).toEqual(['550 5.7.2 Access Denied to You']);
    expect((await session.lines('EXPN Example-People')).length).toBe(6);
    const elsewhere = { networks: ['192.0.2.0/24'] };
    await using other = await startTestAgent((folder) => ({ ...people(folder), disclosure: { expand: elsewhere } }));
    await using stranger = await TestSession.connect(other.port);
    expect(await stranger.lines('EXPN Example-People')).toEqual(['550 5.7.2 Access Denied to You']);
  });

  it('CMD-EXPN-2 is neither offered nor served where nobody may have it', async () => {
    await using test = await startTestAgent(people);
    await using session = await TestSession.connect(test.port);
    expect((await session.lines('EHLO x.example')).join('|')).not.toContain('EXPN');
    expect((await session.lines('EXPN Example-People'))[0]).toMatch(/^502 5\.5\.1 /);
  });
});

describe('users that moved', () => {
  const rcpt = async (session: TestSession, name: string) =>
    (await session.lines(`RCPT TO:<${name}@usc-isif.arpa>`))[0];

  it('CMD-RCPT-7 CMD-RCPT-8 REP-251 REP-551 tells where they are, or forwards silently', async () => {
    await using test = await startTestAgent(people);
    await using session = await TestSession.connect(test.port);
    await session.lines('EHLO x.example');
    await session.lines('MAIL FROM:<a@x.example>');
    expect(await rcpt(session, 'joe')).toBe('251 2.1.5 User not local; will forward to <Joe@USC-ISIQ.ARPA>');
    expect(await rcpt(session, 'Jones')).toBe('551 5.1.6 User not local; please try <Jones@USC-ISIQ.ARPA>');
    expect(await rcpt(session, 'quiet')).toBe('250 2.1.5 Recipient ok');
    expect(await rcpt(session, 'secret')).toBe('250 2.1.5 Recipient ok');
    expect(await rcpt(session, 'hush')).toBe('550 5.1.6 The user has moved');
  });

  it('CMD-RCPT-9 keeps all of it to itself where the site says so', async () => {
    await using test = await startTestAgent((folder) => ({
      ...people(folder),
      disclosure: { forwards: {}, verify: local },
    }));
    await using session = await TestSession.connect(test.port);
    await session.lines('EHLO x.example');
    await session.lines('MAIL FROM:<a@x.example>');
    expect(await rcpt(session, 'joe')).toBe('250 2.1.5 Recipient ok');
    expect(await rcpt(session, 'Jones')).toBe('550 5.1.6 The user has moved');
    expect(await session.lines('VRFY Joe')).toEqual(['250 2.1.5 <Joe@usc-isif.arpa>']);
    expect(await session.lines('VRFY Jones')).toEqual(['550 5.1.6 The user has moved']);
  });
});
