// Runs every check that needs no running server: `npm run check`, or some by name: `npm run check lint types`.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, resolve as resolvePath } from 'node:path';
import { performance } from 'node:perf_hooks';

const packages = ['packages/smtp', 'packages/posthorn'];
const env = {
  ...process.env,
  NO_COLOR: '1',
  PATH: `${resolvePath('node_modules/.bin')}${delimiter}${process.env.PATH}`,
};

/** All checks; those with `after` wait for the check of that name. */
const checks = [
  { name: 'build', commands: ['tsc -b packages/smtp packages/posthorn'] },
  { name: 'types', commands: ['tsc -p tsconfig.test.json'], after: 'build' },
  { name: 'lint', commands: ['biome check --colors=off --error-on-warnings .'] },
  { name: 'rooms', commands: ['vitest run test/rooms.test.ts'] },
  { name: 'dead code', commands: ['knip --no-progress'] },
  { name: 'citations', commands: ['node scripts/citations.js --check'] },
  { name: 'packages', commands: packages.flatMap(packageCommands), after: 'build' },
  { name: 'lockfile', run: lockfileMistakes },
];

function packageCommands(folder) {
  return [
    `publint run --strict ${folder}`,
    `attw --pack ${folder} --profile esm-only --no-definitely-typed --format ascii`,
  ];
}

/** Addresses in the lockfile would bind every install to the registry of whoever wrote it. */
async function lockfileMistakes() {
  const lock = JSON.parse(await readFile('package-lock.json', 'utf8'));
  const bound = Object.entries(lock.packages).filter(([, entry]) => /^[a-z+]+:/.test(entry.resolved ?? ''));
  return bound.map(([path, entry]) => `package-lock.json: ${path} carries the download address ${entry.resolved}`);
}

function runCommand(command) {
  return new Promise((resolve) => {
    const [program, ...values] = command.split(' ');
    const child = spawn(program, values, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (bytes) => output.push(bytes));
    child.stderr.on('data', (bytes) => output.push(bytes));
    child.on('error', (error) => resolve({ failed: true, text: String(error) }));
    child.on('close', (code) => resolve({ failed: code !== 0, text: Buffer.concat(output).toString() }));
  });
}

async function runCheck(check) {
  const begin = performance.now();
  const mistakes = [];
  for (const command of check.commands ?? []) {
    const { failed, text } = await runCommand(command);
    if (failed) mistakes.push(`$ ${command}\n${text.trim()}`);
  }
  if (check.run) mistakes.push(...(await check.run()));
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`${mistakes.length === 0 ? 'ok    ' : 'FAILED'} ${check.name.padEnd(10)} ${seconds.padStart(6)} s`);
  for (const mistake of mistakes) console.log(mistake.replace(/^/gm, '  '));
  return mistakes.length === 0;
}

/** Runs two at a time: more only makes each slower on a small machine. */
async function runAll(wanted) {
  const waiting = [...wanted];
  const running = new Set();
  const ended = new Set();
  let good = true;
  const isReady = (check) => !check.after || ended.has(check.after) || !wanted.some(({ name }) => name === check.after);
  while (waiting.length > 0 || running.size > 0) {
    const index = running.size < 2 ? waiting.findIndex(isReady) : -1;
    if (index === -1) {
      await Promise.race(running);
      continue;
    }
    const [check] = waiting.splice(index, 1);
    const run = runCheck(check).then((passed) => {
      good &&= passed;
      ended.add(check.name);
      running.delete(run);
    });
    running.add(run);
  }
  return good;
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !checks.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(`check: no such check: ${unknown.join(', ')}; there are: ${checks.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const good = await runAll(names.length === 0 ? checks : checks.filter(({ name }) => names.includes(name)));
process.exitCode = good ? 0 : 1;
