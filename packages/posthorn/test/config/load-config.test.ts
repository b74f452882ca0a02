import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'posthorn-config-'));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const good = `{
  "hostname": "mx.example.org",
  "dataDir": "data",
  "listeners": [{ "role": "mx" }, { "role": "lmtp", "path": "lmtp.sock" }],
  "domains": { "example.org": { "deliver": "maildir:mail/{local}", "mailboxes": ["alice"] } },
  "routes": [{ "domain": "*", "to": "mbox:/var/mail/{local}" }]
}`;

function makeKey(name: string): void {
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)];
  const made = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-subj',
    '/CN=mx.example.org',
  ];
  execFileSync('openssl', [...made, '-days', '2', ...files], { stdio: 'ignore' });
}

beforeAll(() => {
  makeKey('one');
  makeKey('other');
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('a configuration in a file', () => {
  it('is JSON with comments; its paths count from its folder', async () => {
    const terminals = '"terminals": { "utmp": "utmp" },';
    const checked = await loadConfig(write('good.jsonc', `// mine\n${good.replace('{', `{ ${terminals}`)}`));
    expect(checked).toMatchObject({
      config: {
        dataDir: join(folder, 'data'),
        terminals: { utmp: join(folder, 'utmp') },
        listeners: [{ role: 'mx' }, { path: join(folder, 'lmtp.sock') }],
        domains: { 'example.org': { deliver: `maildir:${folder}/mail/{local}` } },
        routes: [{ to: 'mbox:/var/mail/{local}' }],
      },
    });
  });

  it('is TypeScript or JavaScript with a default export, read anew each time', async () => {
    const path = write(
      'posthorn.config.ts',
      `const size: number = 1_000_000;\nexport default { ...${good}, limits: { messageSize: size } };`,
    );
    expect(await loadConfig(path)).toMatchObject({ config: { limits: { messageSize: 1_000_000 } } });
    write('part.js', 'export const size = 2_000_000;');
    write(
      'posthorn.config.ts',
      `import { size } from './part.js';\nexport default { ...${good}, limits: { messageSize: size } };`,
    );
    expect(await loadConfig(path)).toMatchObject({ config: { limits: { messageSize: 2_000_000 } } });
    write('part.js', 'export const size = 3_000_000;');
    expect(await loadConfig(path)).toMatchObject({ config: { limits: { messageSize: 3_000_000 } } });
    expect(await loadConfig(write('plain.js', `export default ${good}`))).toMatchObject({ config: {} });
  });

  it('has its mistakes with file and line', async () => {
    const path = write('bad.json', good.replace('"mx.example.org"', '"localhost"').replace('"to"', '"two"'));
    expect(await loadConfig(path)).toMatchObject({
      mistakes: [
        { file: path, line: 2, path: 'hostname' },
        { file: path, line: 6, path: 'routes[0].to' },
        { file: path, line: 6, path: 'routes[0].two', remedy: 'Did you mean to?' },
      ],
    });
  });

  it('that cannot be read or is no JSON, no program or exports nothing is a mistake with its file', async () => {
    mkdirSync(join(folder, 'folder.json'));
    const faulty = [
      join(folder, 'missing.json'),
      join(folder, 'missing.ts'),
      join(folder, 'folder.json'),
      write('syntax.json', '{\n "a": }'),
      write('syntax.ts', 'export default {'),
      write('throws.js', 'throw new Error("no");'),
      write('import.ts', 'import "./nowhere.ts"; export default {};'),
      write('empty.ts', 'export const config = {};'),
    ];
    for (const path of faulty) {
      const checked = await loadConfig(path);
      expect(checked, path).toMatchObject({ mistakes: [{ file: path, remedy: expect.stringMatching(/\w/) }] });
    }
    expect(await loadConfig(join(folder, 'syntax.json'))).toMatchObject({ mistakes: [{ line: 2, path: 'a' }] });
  });

  it('has paths that a UNIX socket can have', async () => {
    const path = write(
      'long.json',
      good.replace('"data"', `"${'d'.repeat(100)}"`).replace('lmtp.sock', 's'.repeat(120)),
    );
    expect(await loadConfig(path)).toMatchObject({ mistakes: [{ path: 'dataDir' }, { path: 'listeners[1].path' }] });
  });

  it('is good with a certificate and its key', async () => {
    const tls = '"tls": { "cert": "one.pem", "key": "one.key" }';
    const path = write('tls.json', good.replace('{', `{ ${tls},`).replace('"mx" }', '"submissions" }'));
    expect(await loadConfig(path)).toMatchObject({
      config: { tls: { cert: join(folder, 'one.pem'), key: join(folder, 'one.key') } },
    });
  });

  it.each([
    ['a file that is not there', 'none.pem', 'one.key', ['tls.cert']],
    ['two files that are not there', 'none.pem', 'none.key', ['tls.cert', 'tls.key']],
    ['files that hold something else', 'good.jsonc', 'good.jsonc', ['tls.cert', 'tls.key']],
    ['the key of another certificate', 'one.pem', 'other.key', ['tls.key']],
  ])('names %s as a mistake', async (_, cert, key, paths) => {
    write('good.jsonc', good);
    const path = write('tls.json', good.replace('{', `{\n"tls": { "cert": "${cert}",\n"key": "${key}" },`));
    const checked = await loadConfig(path);
    expect('mistakes' in checked && checked.mistakes.map((mistake) => mistake.path)).toEqual(paths);
    expect(checked).toMatchObject({ mistakes: paths.map((at) => ({ file: path, line: at === 'tls.cert' ? 2 : 3 })) });
  });
});
