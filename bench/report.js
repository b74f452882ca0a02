import { writeFile } from 'node:fs/promises';
import { isSynced } from './sync-proof.js';

const sizeNames = new Map([
  [4096, '4 KiB'],
  [65_536, '64 KiB'],
  [1_048_576, '1 MiB'],
]);

const whole = (value) => Math.round(value).toLocaleString('en');
const short = (value) => (value >= 100 ? whole(value) : value.toFixed(1));
const latency = (value) => (value === undefined ? '–' : `${short(value.p50)} / ${short(value.p99)}`);

function table(heads, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** How many times the rate of another server Posthorn's is. */
function ratio(results, other) {
  const own = results.find(({ name }) => name === 'Posthorn');
  if (own?.rate === undefined || other.rate === undefined || other === own) return '–';
  return `${(own.rate / other.rate).toFixed(1)} ×`;
}

function throughputTable({ results }) {
  const rows = results.map((result) =>
    result.failure === undefined
      ? [result.name, ratio(results, result), whole(result.rate), latency(result.accept), latency(result.endToEnd)]
      : [result.name, '–', `not counted: ${result.failure}`, '–', '–'],
  );
  return table(
    ['server', 'Posthorn against it', 'messages/s', 'accept p50 / p99, ms', 'end to end p50 / p99, ms'],
    rows,
  );
}

function throughput({ throughput: measured, sinkLimit }) {
  if (measured.length === 0) return [];
  const sections = measured.flatMap(({ mode, size, results }) => [
    `### ${mode === 'accept' ? 'Accept alone' : 'Accept and relay'}, ${sizeNames.get(size)}`,
    throughputTable({ results }),
  ]);
  const limit = sinkLimit[0].rate === undefined ? 'nothing' : `${whole(sinkLimit[0].rate)} messages/s of 4 KiB`;
  return [
    '## Throughput',
    `Medians of the rounds; accepted is when the 250 to the text came in, the clock of a message runs from the write of its text. The generator straight into the sink reaches ${limit}: no server here comes near what the measuring itself can do.`,
    ...sections,
    ...limits({ throughput: measured }),
  ];
}

const modeNames = new Map([
  ['accept', 'accept alone'],
  ['relay', 'accept and relay'],
]);

/** How far the promises can be kept by any program of one Node process, on this machine and against these peers. */
function limits({ throughput: measured }) {
  const lines = measured.flatMap(({ mode, size, results }) => {
    const rate = (wanted) => results.find(({ name }) => name === wanted)?.rate;
    const [floor, own, postfix] = [rate('Floor'), rate('Posthorn'), rate('Postfix')];
    if (size !== 4096 || floor === undefined || own === undefined || postfix === undefined) return [];
    const share = `${Math.round((100 * own) / floor)} % of the floor`;
    return `- ${modeNames.get(mode)}: the floor is ${(floor / postfix).toFixed(1)} × Postfix; Posthorn reaches ${(own / postfix).toFixed(1)} ×, ${share}.`;
  });
  if (lines.length === 0) return [];
  return [
    '### What stands in the way',
    'The floor ([bench/floor.js](../bench/floor.js)) is one Node process that does the input and output of a durable relay and nothing else: one put and one remove in LMDB for each message, one sync for a group, kept connections, no check, no queue, no log. What it cannot do, no mail server of one Node process can do here.',
    lines.join('\n'),
  ];
}

function syncRow(proof) {
  if (proof.failure !== undefined) return [proof.name, `failed: ${proof.failure}`, '–', '–'];
  const share = ({ synced, messages }) => `${whole(synced)} of ${whole(messages)}`;
  const perSync = ({ messages, syncs }) => (syncs === 0 ? '–' : (messages / syncs).toFixed(2));
  return [proof.name, share(proof.alone), share(proof.many), perSync(proof.many)];
}

function syncs({ proofs }) {
  if (proofs === undefined) return [];
  const refused = proofs.filter((proof) => !isSynced(proof)).map(({ name }) => name);
  return [
    '## Synced before accepted',
    'Watched by strace: how many messages had a sync come back from the kernel between their text and their 250, first one session alone, then all sessions at once. A server with one that had none is not counted above.',
    table(['server', 'one session', 'all sessions', 'messages a sync, all sessions'], proofs.map(syncRow)),
    ...(refused.length > 0 ? [`Not counted: ${refused.join(', ')}.`] : []),
  ];
}

function client({ client: measured }) {
  if (measured === undefined) return [];
  if (measured.failure !== undefined) return ['## Client pool', `Not counted: ${measured.failure}`];
  const { posthorn, nodemailer, connections, version } = measured;
  return [
    '## Client pool',
    `The same ready-made messages of 4 KiB over ${connections} connections each into the sink, by turns; medians of the rounds.`,
    table(
      ['client', 'Posthorn against it', 'messages/s'],
      [
        [`Nodemailer ${version}`, `${(posthorn / nodemailer).toFixed(1)} ×`, whole(nodemailer)],
        ['Posthorn', '–', whole(posthorn)],
      ],
    ),
  ];
}

function memory({ memory: measured }) {
  if (measured === undefined) return [];
  const row = ({ what, value, mapped, goal, unit, isMet, failure }) =>
    failure === undefined
      ? [
          what,
          `${short(value)} ${unit}`,
          `${goal} ${unit}`,
          isMet ? 'yes' : '**no**',
          mapped === undefined ? '–' : `${short(mapped)} ${unit}`,
        ]
      : [what, `failed: ${failure}`, `${goal} ${unit}`, '**no**', '–'];
  return [
    '## Memory and restart',
    'Resident memory as the kernel counts it. What a message adds is the process’s own memory (RssAnon); the last column is all that is resident (VmRSS, VmHWM), with the pages of the spool’s file that are mapped, which the kernel takes back when it needs them.',
    table(['what', 'measured', 'at most', 'met', 'with mapped pages'], measured.map(row)),
  ];
}

/** Writes what was measured, on which machine, with which versions. */
export async function writeReport({ file, machine, versions, options, ...results }) {
  const servers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const text = [
    '# Benchmarks',
    `Written by \`npm run bench\`${options.quick ? ' with `--quick`: too short to be quoted' : ''}. All servers ran on one machine in one run, by turns, with the same generator (50 sessions, pipelined) and the same sink, every message synced to disk before it was accepted. What counts is the ratio: another machine gives other numbers.`,
    table(
      ['', ''],
      [
        ['processors', machine.processors],
        ['memory', machine.memory],
        ['disk', machine.disk],
        ['system', machine.system],
        ['Node', machine.node],
        ['load by others, before the run', machine.load],
        ['servers', servers.join(', ')],
      ],
    ),
    '- Postfix: Debian’s package, limits on clients off, as many processes as sessions; for *accept alone* its mail goes to `discard`, as Posthorn’s does. *On hold* is the least it can do with a message: its queue manager never sees it.',
    '- Haraka: from npm, one process, no plugin but one that accepts the recipient and names the next hop. It refuses an envelope sent behind a text, so it gets each after the reply. For *accept alone* it never learns the next hop and keeps its files.',
    '- Posthorn: one process; for *accept alone* it delivers to `discard:`.',
    ...throughput(results),
    ...syncs(results),
    ...client(results),
    ...memory(results),
  ];
  await writeFile(file, `${text.join('\n\n')}\n`);
}
