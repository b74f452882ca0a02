// Holds the comments of both packages to their form and collects what they cite. Writes docs/standards.md; with
// `--check` writes nothing and fails when that page is not up to date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { commentsOf, exportsOf, readSourceFiles } from './source-files.js';

const page = 'docs/standards.md';
/** By number: title, status as the RFC Editor has it, what came after it, and a remark where the code cites nothing of it. */
const documents = JSON.parse(readFileSync('docs/rfcs.json', 'utf8'));
const one = /RFC \d{3,4}(?: §[0-9A-Z]+(?:\.\d+)*(?:, §[0-9A-Z]+(?:\.\d+)*)*)?/;
const whole = new RegExp(`^\\(${one.source}(?:, ${one.source})*\\)$`);

const sources = readSourceFiles().map((source) => ({ source, path: source.fileName, comments: commentsOf(source) }));
const mistakes = sources.flatMap((file) => [...undocumented(file), ...malformed(file), ...unreasoned(file)]);
const text = standardsPage();
if (!process.argv.includes('--check')) writeFileSync(page, text);
else if (!existsSync(page) || readFileSync(page, 'utf8') !== text) {
  mistakes.push(`${page} is not up to date: run \`node scripts/citations.js\``);
}
for (const mistake of new Set(mistakes)) console.error(mistake);
process.exitCode = mistakes.length === 0 ? 0 : 1;

function undocumented({ source, path }) {
  return exportsOf(source)
    .filter(({ doc }) => !/^[A-Z0-9"'`<(].*\.(\s|$)/s.test(doc?.trim() ?? ''))
    .map(({ name }) => `${path}: the export ${name} has no sentence of documentation`);
}

/** Every mention of an RFC reads `RFC n` or `RFC n §x, §y`; brackets that open with one hold nothing else. */
function malformed({ path, comments }) {
  return comments.flatMap((comment) => {
    const flowing = comment.replace(/\s+/g, ' ');
    const brackets = [...flowing.matchAll(/\(RFC[^()]*(?:\)|$|(?=\())/g)].map(([part]) => part);
    const loose = [
      ...flowing.matchAll(/RFCs?(?! \d{3,4}\b).{0,20}|RFC \d{3,4},? (?:section|sec\.?|s\.|[0-9A-Z]+\.\d).{0,20}/g),
    ];
    const unknown = citationsIn(flowing).filter(({ rfc }) => !(rfc in documents));
    return [
      ...brackets.filter((part) => !whole.test(part)).map((part) => `${path}: not in the form (RFC n §x): ${part}`),
      ...loose.map(([part]) => `${path}: not in the form RFC n §x: ${part}`),
      ...unknown.map(({ rfc }) => `${path}: RFC ${rfc} is not in docs/rfcs.json`),
    ];
  });
}

/** What switches a check off says why, behind a colon. */
function unreasoned({ path, comments }) {
  return comments
    .filter((comment) => /^(@ts-|biome-ignore|v8 ignore)/.test(comment) && !/: \S/.test(comment))
    .map((comment) => `${path}: no reason given for ${comment}`);
}

function citationsIn(flowing) {
  return [...flowing.matchAll(new RegExp(one.source, 'g'))].flatMap(([citation]) => {
    const [head, ...sections] = citation.split(/,? §/);
    const rfc = head.slice('RFC '.length);
    return sections.length === 0 ? [{ rfc, section: '' }] : sections.map((section) => ({ rfc, section }));
  });
}

function deviationsIn(comment) {
  return [...comment.matchAll(/^Deviates: (.*(?:\n(?!\s*$|@|Deviates:).*)*)/gm)].map(([, words]) =>
    words.replace(/\s+/g, ' ').trim(),
  );
}

function standardsPage() {
  const cited = new Map();
  for (const { path, comments } of sources) {
    for (const { rfc, section } of comments.flatMap((comment) => citationsIn(comment.replace(/\s+/g, ' ')))) {
      const sections = cited.get(rfc) ?? cited.set(rfc, new Map()).get(rfc);
      const paths = sections.get(section) ?? sections.set(section, new Set()).get(section);
      paths.add(path);
    }
  }
  const deviations = sources.flatMap(({ path, comments }) =>
    comments.flatMap(deviationsIn).map((words) => `- ${link(path)}: ${words}`),
  );
  return [
    '# Standards',
    '',
    'What the code says it is built from, and where it knowingly differs. This page is made from the comments in the',
    'source by `npm run standards`; change those, not this.',
    '',
    '## Deviations',
    '',
    ...(deviations.length > 0 ? deviations : ['None.']),
    '',
    '## Documents',
    '',
    'All that concern mail by SMTP, and the few beside it that the code rests on; whether Posthorn has something of each.',
    '',
    '| RFC | Title | Status | In Posthorn |',
    '| ---: | --- | --- | --- |',
    ...Object.entries(documents).map(([rfc, document]) => row(rfc, document, cited.get(rfc))),
    '',
    '## Sections',
    ...[...cited].sort(([a], [b]) => a - b).flatMap(([rfc, sections]) => documentLines(rfc, sections)),
    '',
  ].join('\n');
}

function row(rfc, { title, status, obsoletedBy = [], remark }, sections) {
  const after = obsoletedBy.length === 0 ? '' : `, obsoleted by ${obsoletedBy.join(' and ')}`;
  const files = new Set([...(sections?.values() ?? [])].flatMap((paths) => [...paths])).size;
  const here =
    sections === undefined ? (remark ?? (after === '' ? 'not yet' : 'as what came after it')) : count(files, 'file');
  return `| ${rfc} | ${title} | ${status}${after} | ${here} |`;
}

function count(number, what) {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function documentLines(rfc, sections) {
  const lines = [...sections]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(
      ([section, paths]) => `- ${section === '' ? 'as a whole' : `§${section}`}: ${[...paths].map(link).join(', ')}`,
    );
  return ['', `### RFC ${rfc}: ${documents[rfc]?.title ?? 'unknown'}`, '', ...lines];
}

function link(path) {
  const [, name, , ...rest] = path.split('/');
  return `[${name}/${rest.join('/')}](../${path})`;
}
