// Plays the tables of the README that show the protocol, or a dialogue that is given, against a server with
// docs/examples/protocol.config.ts: `npm run protocol`, `npm run protocol -- VRFY MTRK 452`, `npm run protocol -- 'VRFY alice / QUIT'`.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../packages/posthorn/dist/config/load-config.js';
import { startAgent } from '../packages/posthorn/dist/mta/start-agent.js';
import { isAnswer, playDialogue } from './protocol-play.js';
import { readProtocolRows } from './protocol-rows.js';

const example = 'docs/examples';
const wanted = process.argv.slice(2);
const rows = readProtocolRows(readFileSync('README.md', 'utf8'));
const named = rows.filter(({ names }) => wanted.length === 0 || wanted.some((word) => names.includes(word)));
const folder = mkdtempSync(join(tmpdir(), 'posthorn-protocol-'));
const agent = await startDemonstration();
try {
  const isOwn = named.length === 0;
  for (const row of isOwn ? [ownRow(wanted.join(' '))] : named) await showRow(row);
} finally {
  await agent.close({ grace: 0 });
  rmSync(folder, { recursive: true, force: true });
}

/** Starts the server of the example on free ports, with a queue that goes away with it. */
async function startDemonstration() {
  makeCertificate(join(example, '.posthorn'));
  const { config, mistakes } = await loadConfig(join(example, 'protocol.config.ts'));
  if (mistakes !== undefined) throw new Error(JSON.stringify(mistakes));
  const listeners = config.listeners.map((listener) => ({ ...listener, port: 0 }));
  const log = { info() {}, warn() {}, error: (fields, text) => console.error(text, fields) };
  return startAgent({ config: { ...config, listeners, dataDir: folder }, log });
}

function makeCertificate(place) {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(place, name));
  if (existsSync(cert)) return;
  mkdirSync(place, { recursive: true });
  const kind = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '3650',
    '-subj',
    '/CN=localhost',
  ];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert], { stdio: 'ignore' });
}

function ownRow(text) {
  const [, place = '', dialogue] = /^(?:(tls|login|odmr|lmtp|mtqp|none) )?(.*)$/.exec(text);
  return { names: [text], place, lines: dialogue.split(' / '), files: [] };
}

async function showRow({ names, place, lines, answer: expected, files }) {
  console.log(`\n${names.join(' ')}${place === '' ? '' : ` (${place})`}`);
  for (const file of files) console.log(`  shown by ${file}`);
  if (lines === undefined) return;
  const { said, answer } = await playDialogue({ place, lines }, portOf);
  for (const line of said) console.log(`  ${line}`);
  if (expected === undefined || isAnswer(answer, expected)) return;
  console.log(`  which is not ${expected}`);
  process.exitCode = 1;
}

function portOf(role) {
  return agent.listeners.find((listener) => listener.role === role).port;
}
