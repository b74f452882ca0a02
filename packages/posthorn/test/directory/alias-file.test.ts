import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAliasFile, parseIncludeFile } from '../../src/directory/alias-file.ts';

const read = (text: string) => {
  const { aliases, mistakes } = parseAliasFile(text);
  const plain = Object.fromEntries(aliases.map(({ name, targets }) => [name, targets.map((target) => target.text)]));
  return { plain, mistakes };
};

describe('parseAliasFile', () => {
  it('LOC-AL-2 reads names, addresses, files, folders, programs and includes, with comments and lines that go on', () => {
    const { plain, mistakes } = read(
      [
        '# who reads what',
        'postmaster: root',
        'Root:alice, \\bob,',
        '    # not a line of its own',
        '\tcarol@example.net',
        '',
        'archive: /var/mail/archive, /var/mail/folder/',
        'report: "|/usr/bin/report -t \\"a, b\\""',
        'other: |"/usr/bin/other x"',
        'plain: |/usr/bin/plain -x',
        'staff: :include:/etc/staff, ":include:/etc/more staff"',
        '"john doe": "jane doe"@example.net, Jane <jane@example.net>\r',
      ].join('\n'),
    );
    expect(mistakes).toEqual([]);
    expect(plain).toEqual({
      postmaster: ['root'],
      Root: ['alice', '\\bob', 'carol@example.net'],
      archive: ['/var/mail/archive', '/var/mail/folder/'],
      report: ['|/usr/bin/report -t "a, b"'],
      other: ['|/usr/bin/other x'],
      plain: ['|/usr/bin/plain -x'],
      staff: [':include:/etc/staff', ':include:/etc/more staff'],
      '"john doe"': ['"jane doe"@example.net', 'jane@example.net'],
    });
  });

  it('LOC-AL-2 says of every mistake on which line it is', () => {
    const { plain, mistakes } = read(
      [
        '  early: x',
        'no colon here',
        '  nowhere',
        'a@example.org: b',
        'twice: x',
        'TWICE: y',
        'empty:',
        'quote: "|open',
        'bad: two words, ok',
        'nul: \0',
        `long: ${'x'.repeat(70_000)}`,
        'relative: :include:staff, |',
      ].join('\n'),
    );
    expect(mistakes.map(({ line }) => line).sort((a, b) => a - b)).toEqual([
      1, 2, 4, 6, 7, 8, 8, 9, 10, 11, 12, 12, 12,
    ]);
    expect(mistakes.find(({ line }) => line === 6)?.message).toContain('after line 5');
    expect(plain.bad).toEqual(['ok']);
    expect(plain.twice).toEqual(['x']);
  });

  it('LOC-AL-2 never throws and never hangs, whatever the file, and names lines that exist', () => {
    const line = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.stringMatching(/^[ "\\,:|/#a@<>.]{0,30}$/));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const text = lines.join('\n');
        const count = text.split('\n').length;
        const file = parseAliasFile(text);
        const include = parseIncludeFile(text);
        for (const each of [...file.mistakes, ...include.mistakes, ...file.aliases, ...include.targets]) {
          expect(each.line).toBeGreaterThanOrEqual(1);
          expect(each.line).toBeLessThanOrEqual(count);
        }
      }),
    );
    const huge = `a: ${'"\\'.repeat(30_000)}\n`.repeat(50) + '\\'.repeat(1_000_000);
    expect(parseAliasFile(huge).mistakes.length).toBeLessThanOrEqual(100);
  });

  it('LOC-AL-2 reads again what it is given in quotes', () => {
    const command = fc.stringMatching(/^[ -~]{1,40}$/).filter((text) => text.trim() !== '');
    fc.assert(
      fc.property(fc.array(command, { minLength: 1, maxLength: 4 }), (commands) => {
        const quoted = commands.map((each) => `"|${each.replace(/["\\]/g, '\\$&')}"`);
        expect(read(`x: ${quoted.join(', ')}`)).toEqual({
          plain: { x: commands.map((each) => `|${each}`) },
          mistakes: [],
        });
      }),
    );
  });
});

describe('parseIncludeFile', () => {
  it('LOC-AL-2 reads targets parted by commas or lines', () => {
    const { targets, mistakes } = parseIncludeFile('# staff\nalice, bob@example.net\n\n"|cmd", carol\n');
    expect(mistakes).toEqual([]);
    expect(targets).toEqual([
      { text: 'alice', line: 2 },
      { text: 'bob@example.net', line: 2 },
      { text: '|cmd', line: 4 },
      { text: 'carol', line: 4 },
    ]);
  });
});
