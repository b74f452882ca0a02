import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { formatMistake } from '../../src/config/mistake.ts';
import { programMistakes } from '../../src/config/program-checks.ts';
import { readAliases } from '../../src/config/read-aliases.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { configOf } from '../mta/fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'posthorn-aliases-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

type Domain = NonNullable<ConfigInput['domains']>[string];

function inputOf(domain: Domain, more: Partial<ConfigInput> = {}): ConfigInput {
  return {
    hostname: 'mx.example.org',
    dataDir: join(folder, 'data'),
    listeners: [{ role: 'mx' }],
    domains: { 'example.org': { deliver: 'discard:', mailboxes: ['alice', 'bob'], ...domain } },
    ...more,
  };
}

function read(domain: Domain, more: Partial<ConfigInput> = {}) {
  const { domains, mistakes } = readAliases(configOf(inputOf(domain, more)));
  return {
    aliases: domains['example.org']?.aliases,
    mistakes: mistakes.map((mistake) => formatMistake(mistake).replaceAll(`${folder}/`, '')),
  };
}

describe('files of aliases', () => {
  it('LOC-AL-2 are read with those of the configuration, and what both include', () => {
    const staff = write('staff', '# all\nalice, bob\n');
    const all = write('all', `:include:${staff}\nx@far.example\n`);
    const aliasFiles = [write('one', `team: :include:${all}\nhelp: team\n`), write('two', 'root: alice')];
    const { aliases, mistakes } = read({ aliasFiles, aliases: { crew: [`:include:${staff}`, 'root'] } });
    expect(mistakes).toEqual([]);
    expect(aliases).toEqual({
      crew: ['alice', 'bob', 'root'],
      team: ['alice', 'bob', 'x@far.example'],
      help: ['team'],
      root: ['alice'],
    });
  });

  it('LOC-AL-2 have the file and the line of each mistake said', () => {
    const include = write('members', 'alice\n\nnobody\n|/bin/run\n');
    const aliasFiles = [
      write('bad', `a: alice\nb: nobody, bob\nc: :include:${include}\nA: bob\nfaulty\nd: two words\n`),
      join(folder, 'missing'),
    ];
    const { mistakes } = read({ aliasFiles, aliases: { crew: ['bob'] } });
    expect(mistakes).toHaveLength(6);
    expect(mistakes.join('\n')).toContain('bad:5: the line is not of the form');
    expect(mistakes.join('\n')).toContain('bad:4: the line has the alias A again, after line 1');
    expect(mistakes.join('\n')).toContain('bad:6: the line names two words');
    expect(mistakes.join('\n')).toContain('missing: there is no such file');
    expect(mistakes.join('\n')).toContain('members:4: c leads to a program or a file');
  });

  it('LOC-AL-2 LOC-AL-1 have what leads to nobody or in a circle said, once all of it is known', () => {
    const aliasFiles = [write('ends', 'a: b\nb: a\nc: nobody\nd: alice\n'), write('more', 'e: c@example.org, \\d\n')];
    const { mistakes } = read({ aliasFiles, aliases: { f: ['d', 'nobody'] } });
    const text = mistakes.join('\n');
    expect(text).toContain('ends:1: a leads round in a circle');
    expect(text).toContain('ends:2: b leads round in a circle');
    expect(text).toContain('ends:3: c leads to nobody@example.org');
    expect(text).toContain('more:1: e leads to d@example.org, which is no mailbox');
    expect(text).toContain('domains["example.org"].aliases.f[1] leads to nobody@example.org');
    expect(mistakes).toHaveLength(5);
  });

  it('LOC-AL-2 end soon whatever they include: themselves, one another, deep, wide, what is no file', () => {
    write('loop', `:include:${join(folder, 'loop')}`);
    for (let depth = 0; depth < 15; depth += 1) write(`deep${depth}`, `:include:${join(folder, `deep${depth + 1}`)}\n`);
    write('deep15', 'alice');
    for (let depth = 0; depth < 8; depth += 1) {
      write(`wide${depth}`, `:include:${join(folder, `wide${depth + 1}`)}\n`.repeat(20));
    }
    write('wide8', 'alice\n'.repeat(20));
    mkdirSync(join(folder, 'directory'));
    const names = ['loop', 'deep0', 'wide0', 'directory', 'none'];
    const own = names.map((name) => [name, [`:include:${join(folder, name)}`]]);
    const aliases = Object.fromEntries([...own, ['endless', [':include:/dev/zero']]]);
    const text = read({ aliases }).mistakes.join('\n');
    expect(text).toContain(`loop:1: domains["example.org"].aliases.loop[0] includes loop in a circle`);
    expect(text).toContain('deep9:1:');
    expect(text).toContain('aliases.wide0 leads to more than 10000 targets');
    expect(text).toContain('it is a folder');
    expect(text).toContain('it is no plain file');
    expect(text).toContain('there is no such file');
  });

  it('LOC-AL-2 may include programs and files where that is asked for', () => {
    const include = write('programs', '|/bin/run\n/var/mail/x\n');
    const aliases = { team: [`:include:${include}`] };
    expect(read({ aliases }).mistakes).toHaveLength(2);
    expect(read({ aliases }, { programs: { inIncludes: true } }).aliases?.team).toEqual(['|/bin/run', '/var/mail/x']);
  });

  it('LOC-AL-2 are checked with the configuration, relative to its folder, and read again each time', async () => {
    write('etc-aliases', 'team: nobody\n');
    const file = write('posthorn.json', JSON.stringify(inputOf({ aliasFiles: ['etc-aliases'] })));
    const faulty = await loadConfig(file);
    expect('mistakes' in faulty && faulty.mistakes).toMatchObject([
      { file: join(folder, 'etc-aliases'), line: 1, path: 'team' },
    ]);
    write('etc-aliases', 'team: alice\n');
    expect('config' in (await loadConfig(file))).toBe(true);
  });
});

describe('programs', () => {
  const root = { getuid: () => 0 };
  const somebody = { getuid: () => 1000 };

  it('LOC-AL-2 never run as root', () => {
    const withProgram = [
      inputOf({ aliases: { a: ['|/bin/run'] } }),
      inputOf({ deliver: 'pipe:/bin/run' }),
      inputOf({ gateway: { deliver: 'pipe:/bin/run' } }),
      inputOf({}, { routes: [{ domain: '*', to: 'pipe:/bin/run' }] }),
      inputOf({ aliasFiles: [write('with-program', 'a: "|/bin/run"\n')] }),
    ];
    for (const input of withProgram) {
      expect(programMistakes(configOf(input), root)).toMatchObject([
        { path: 'programs', message: 'would run as root' },
      ]);
      expect(programMistakes(configOf({ ...input, programs: { uid: 65_534, gid: 65_534 } }), root)).toEqual([]);
      expect(programMistakes(configOf(input), somebody)).toEqual([]);
      expect(programMistakes(configOf({ ...input, programs: { uid: 65_534 } }), somebody)).toHaveLength(1);
    }
    expect(programMistakes(configOf(inputOf({})), root)).toEqual([]);
    expect(() => configOf({ ...inputOf({}), programs: { uid: 0 } })).toThrow('programs.uid');
  });
});
