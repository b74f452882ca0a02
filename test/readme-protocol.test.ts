import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import example from '../docs/examples/protocol.config.ts';
import { anchorPaths } from '../packages/posthorn/src/config/anchor-paths.ts';
import type { RunningAgent } from '../packages/posthorn/src/mta/running-agent.ts';
import { startAgent } from '../packages/posthorn/src/mta/start-agent.ts';
import { configOf, memoryLog } from '../packages/posthorn/test/mta/fixture.ts';
import type { Verb } from '../packages/smtp/src/command/command.ts';
import { replyCodes } from '../packages/smtp/src/reply/registry.ts';
import { testCertificate } from '../packages/smtp/test/laws/test-certificate.ts';
// @ts-expect-error: a script in plain JavaScript
import { isAnswer, playDialogue } from '../scripts/protocol-play.js';
// @ts-expect-error: a script in plain JavaScript
import { readProtocolRows } from '../scripts/protocol-rows.js';

interface Row {
  readonly table: 'Command' | 'Reply' | 'Extension';
  readonly names: readonly string[];
  readonly rfc: string;
  readonly place: string;
  readonly lines?: readonly string[];
  readonly answer?: string;
  readonly files: readonly string[];
}

const root = new URL('../', import.meta.url);
const rows: readonly Row[] = readProtocolRows(readFileSync(new URL('README.md', root), 'utf8'));
const documents = JSON.parse(readFileSync(new URL('docs/rfcs.json', root), 'utf8'));
const namesIn = (table: Row['table']) => rows.filter((row) => row.table === table).flatMap(({ names }) => names);
const isServed = ({ answer }: Row) => !answer?.startsWith('502');

const verbs = Object.keys({
  ...{ HELO: 1, EHLO: 1, LHLO: 1, MAIL: 1, SEND: 1, SOML: 1, SAML: 1, RCPT: 1, DATA: 1, RSET: 1, QUIT: 1, STARTTLS: 1 },
  ...{ TURN: 1, NOOP: 1, HELP: 1, VRFY: 1, EXPN: 1, ETRN: 1, ATRN: 1, BURL: 1, BDAT: 1, AUTH: 1 },
} satisfies Record<Verb, 1>);

let folder: string;
let agent: RunningAgent;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'protocol-'));
  mkdirSync(join(folder, '.posthorn'));
  writeFileSync(join(folder, '.posthorn/cert.pem'), testCertificate.cert);
  writeFileSync(join(folder, '.posthorn/key.pem'), testCertificate.key);
  const config = anchorPaths(configOf(example), folder);
  const listeners = config.listeners.map((listener) => ({ ...listener, port: 0 }));
  agent = await startAgent({ config: { ...config, listeners }, log: memoryLog() });
});

afterAll(async () => {
  await agent.close({ grace: 0 });
  rmSync(folder, { recursive: true, force: true });
});

const portOf = (role: string) => (agent.listeners.find((listener) => listener.role === role) as { port: number }).port;
const play = (row: Pick<Row, 'place' | 'lines'>): Promise<{ said: string[]; answer: string[] }> =>
  playDialogue(row, portOf);

/** Keywords of the EHLO reply that ends a dialogue. */
async function keywords(place: string, ...lines: string[]): Promise<string[]> {
  const { answer } = await play({ place, lines });
  return answer.slice(1).map((line) => line.slice(4).split(' ', 1)[0] as string);
}

describe('the tables of the README', () => {
  const played = rows.filter(({ lines }) => lines !== undefined);

  it.each(played.map((row) => [row.names.join(' '), row.answer, row] as const))(
    'say of %s: %s',
    async (_, answer, row) => {
      const dialogue = await play(row);
      expect(isAnswer(dialogue.answer, answer), dialogue.said.join('\n')).toBe(true);
    },
  );

  it('EX-16 have every verb, and one that is not served is not offered either', async () => {
    expect(namesIn('Command')).toEqual(expect.arrayContaining(verbs));
    const offered = await keywords('', 'EHLO me.example');
    for (const row of rows.filter((each) => each.table === 'Command')) {
      const { answer } = await play({ place: row.place, lines: row.lines ?? [] });
      expect(answer.at(-1), row.names[0]).not.toMatch(/^500/);
      if (!isServed(row)) expect(offered).not.toContain(row.names[0]);
    }
  });

  it('have every reply code of the registry, and its source', () => {
    const sources = rows.filter(({ table }) => table === 'Reply').map(({ names, rfc }) => [names[0], rfc]);
    expect(sources).toEqual([...replyCodes].map(([code, { source }]) => [code, source.replaceAll('RFC ', '')]));
  });

  it('show each reply code by a dialogue that ends with it, or by a file that has it', () => {
    for (const { names, answer, files } of rows.filter(({ table }) => table === 'Reply')) {
      const code = names[0] as string;
      if (answer !== undefined) expect(answer).toMatch(new RegExp(`^${code}`));
      else expect(files, code).toHaveLength(1);
    }
  });

  it('CMD-EHLO-4 have every keyword of EHLO, and none that is never offered', async () => {
    const login = 'AUTH PLAIN AGFsaWNlAHNlc2FtZQ==';
    const offered = await Promise.all([
      keywords('', 'EHLO me.example'),
      keywords('', 'STARTTLS', 'EHLO me.example', login, 'EHLO me.example'),
      keywords('login', 'EHLO me.example'),
      keywords('odmr', 'EHLO me.example'),
      keywords('lmtp', 'LHLO me.example'),
    ]);
    expect([...new Set(namesIn('Extension'))].sort()).toEqual([...new Set(offered.flat())].sort());
  });

  it.each(rows.flatMap(({ names, files }) => files.map((file) => [names[0] as string, file])))(
    'name for %s a file that shows it: %s',
    (name, file) => {
      expect(existsSync(new URL(file, root))).toBe(true);
      expect(readFileSync(new URL(file, root), 'utf8')).toMatch(new RegExp(`\\b${name}\\b`));
    },
  );

  it('cite documents that are known', () => {
    for (const { rfc, names } of rows) {
      expect(rfc, names.join(' ')).toMatch(/^\d{3,4} §[0-9A-Z.]+(?:, \d{3,4} §[0-9A-Z.]+)*$/);
      for (const [number] of rfc.matchAll(/\b\d{3,4}(?= §)/g)) expect(documents).toHaveProperty(number);
    }
  });
});
