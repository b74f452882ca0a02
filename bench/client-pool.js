// Posthorn's client against Nodemailer's pool: the same messages, the same connections, the same sink, by turns.
import { createRequire } from 'node:module';
import { startHelper } from './children.js';
import { median } from './statistics.js';
import { collectAll, takeNumbers } from './throughput.js';

const size = 4096;
const connections = 5;

async function runRound({ client, sink, count }) {
  const range = takeNumbers(count);
  await sink.ask('expect', range);
  const { start, end } = await client.ask('run', { ...range, size });
  await collectAll(sink);
  return (count * 1e6) / (end - start);
}

/** Messages per second of both, medians of the rounds. */
export async function measureClients({ sink, rounds, counts, say }) {
  const entries = ['posthorn', 'nodemailer'].map((name) => ({
    name,
    client: startHelper('client-load.js'),
    rates: [],
  }));
  try {
    for (const { name, client } of entries) await client.ask('open', { name, port: sink.port, connections });
    for (let round = -1; round < rounds; round += 1) {
      for (const { name, client, rates } of entries) {
        const rate = await runRound({ client, sink, count: counts[name] });
        if (round >= 0) rates.push(rate);
        say(`client: ${name}, ${round < 0 ? 'warm-up' : `round ${round + 1}`}: ${Math.round(rate)}/s`);
      }
    }
    const [posthorn, nodemailer] = entries.map(({ rates }) => median(rates));
    const { version } = createRequire(import.meta.url)('nodemailer/package.json');
    return { posthorn, nodemailer, connections, version };
  } catch (error) {
    return { failure: error.message };
  } finally {
    for (const { client } of entries) await client.stop();
  }
}
