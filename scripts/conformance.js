// Tells which requirements a passing test proves and writes docs/conformance.md. Runs the tests, or reads what vitest's
// JSON reporter wrote: `npm run conformance -- --report file`. Fails when fewer are proven than in the committed page.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { codesOf, leadingIds, resolveId } from './requirement-ids.js';

const page = 'docs/conformance.md';
const { groups, requirements } = JSON.parse(readFileSync('docs/requirements.json', 'utf8'));
const notTaken = JSON.parse(readFileSync('docs/not-taken.json', 'utf8'));
const mistakes = notTaken.flatMap(notTakenMistakes);

const tests = readTests(reportFile());
const rows = requirements.map((requirement) => ({ ...requirement, tests: [], codes: new Set(), whole: false }));
for (const test of tests) addTest(test);
const failed = tests.filter((test) => test.failed).length;
if (failed > 0) mistakes.push(`${failed} tests failed`);
const isProven = (row) => row.whole || (row.codes.size > 0 && codesOf(row).every((code) => row.codes.has(code)));
const proven = rows.filter(isProven);

const before = committedCount();
if (proven.length < before)
  mistakes.push(`only ${proven.length} requirements are proven, ${before} are in the committed ${page}`);
writeFileSync(page, conformancePage());
console.log(`${proven.length} of ${rows.length} requirements are proven (committed: ${before})`);
for (const mistake of mistakes) console.error(`conformance: ${mistake}`);
process.exitCode = mistakes.length === 0 ? 0 : 1;

function reportFile() {
  const at = process.argv.indexOf('--report');
  if (at !== -1) return process.argv[at + 1];
  const file = '.reports/conformance.json';
  mkdirSync('.reports', { recursive: true });
  spawnSync('npm', ['test'], { stdio: 'inherit', env: { ...process.env, POSTHORN_TEST_REPORT: file } });
  return file;
}

function readTests(file) {
  return JSON.parse(readFileSync(file, 'utf8')).testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ title, status }) => ({
      file: relative('.', name),
      title,
      passed: status === 'passed',
      failed: status === 'failed',
    })),
  );
}

function addTest({ file, title, passed }) {
  const ids = leadingIds(title);
  for (const written of ids) {
    const found = resolveId(written, requirements);
    if (found.length === 0) mistakes.push(`${file}: no requirement ${written}: ${title}`);
    if (!passed) continue;
    for (const { id, code } of found) {
      const row = rows.find((candidate) => candidate.id === id);
      if (code === undefined) row.whole = true;
      else row.codes.add(code);
      row.tests.push(`${file}: ${title}`);
    }
  }
}

/** A whole row can be left out if it is a MAY; of any other only a part that its source leaves open. */
function notTakenMistakes({ id, part, reason }) {
  const level = requirements.find((requirement) => requirement.id === id)?.level;
  if (level === undefined || (part === undefined && level !== 'MAY'))
    return [`docs/not-taken.json: ${id} is ${level ?? 'unknown'}; only a MAY can be left out`];
  return reason ? [] : [`docs/not-taken.json: ${id} has no reason`];
}

function committedCount() {
  try {
    const text = execFileSync('git', ['show', `HEAD:${page}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(/^\*\*(\d+) of \d+\*\*/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function conformancePage() {
  return [
    '# Conformance',
    '',
    'Each requirement on an SMTP system, and the tests that prove it. This page is made from the list in',
    '[requirements.json](requirements.json) and a run of the tests by `npm run conformance`; a test proves the',
    'requirements that its title begins with. Levels are those of the source; FACTO is no rule but common practice that',
    'peers rely on, PICK is left open by the RFCs and is what Posthorn chose.',
    '',
    `**${proven.length} of ${rows.length}** requirements are proven.`,
    '',
    '| Group | Proven | All |',
    '|---|---|---|',
    ...Object.entries(groups).map(([group, title]) => groupLine(group, title)),
    '',
    '## Not taken',
    '',
    'Options of the RFCs that Posthorn leaves out on purpose.',
    '',
    ...(notTaken.length > 0
      ? notTaken.map(({ id, part, reason }) => `- ${id}${part === undefined ? '' : `, ${part}`}: ${reason}`)
      : ['None.']),
    ...Object.entries(groups).flatMap(([group, title]) => groupTable(group, title)),
    '',
  ].join('\n');
}

function groupLine(group, title) {
  const all = rows.filter((row) => row.group === group);
  return `| ${group}: ${title} | ${all.filter(isProven).length} | ${all.length} |`;
}

function groupTable(group, title) {
  const lines = rows.filter((row) => row.group === group).map(rowLine);
  return [
    '',
    `## ${group}: ${title}`,
    '',
    '| ID | Level | Source | Requirement | Proven by |',
    '|---|---|---|---|---|',
    ...lines,
  ];
}

function rowLine(row) {
  const missing = codesOf(row).filter((code) => !row.codes.has(code));
  const partly = isProven(row) || row.tests.length === 0 ? [] : [`*only in part; missing: ${missing.join(', ')}*`];
  const evidence = [...partly, ...new Set(row.tests.map(cell))].join('<br>');
  return `| ${row.id} | ${row.level} | ${cell(row.source)} | ${cell(row.requirement)} | ${evidence} |`;
}

/** Text as a cell of a table: one line, no bars, no tags but those inside code. */
function cell(text) {
  const spans = text
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|')
    .split(/(`[^`]*`)/);
  return spans.map((span, index) => (index % 2 === 1 ? span : span.replaceAll('<', '&lt;'))).join('');
}
