// Messages per second and latencies: the same generator for every server, rounds of the servers by turns, so that what
// else the machine does hits all alike.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startHelper } from './children.js';
import { median, spread } from './statistics.js';

/** A round ends in failure when it takes longer. */
const roundSeconds = 180;
/** The sink takes messages for lost when none came for so long. */
const stallSeconds = 20;

let nextNumber = 1;

/** Numbers that no message of this run has had. */
export function takeNumbers(count) {
  const first = nextNumber;
  nextNumber += count;
  return { first, count };
}

/** Waits until all messages of a round are in the sink; throws when one is missing, came twice or was never sent. */
export async function collectAll(sink) {
  const arrived = await sink.ask('collect', { seconds: stallSeconds });
  const { missing, duplicates, strangers } = arrived;
  if (missing + duplicates + strangers > 0) {
    throw new Error(`${missing} messages are missing, ${duplicates} came twice, ${strangers} are not of this round`);
  }
  return arrived;
}

async function runRound({ generator, sink, mode, count }) {
  const range = takeNumbers(count);
  if (mode === 'relay') await sink.ask('expect', range);
  const sent = await generator.ask('run', { ...range, seconds: roundSeconds });
  const accept = spread(sent.latencies);
  if (mode === 'accept') return { rate: (count * 1e6) / (sent.end - sent.start), accept };
  const arrived = await collectAll(sink);
  return { rate: (count * 1e6) / (arrived.last - sent.start), accept, endToEnd: spread(arrived.latencies) };
}

async function open({ server, mode, sessions, size, sinkPort, folder, log }) {
  await mkdir(folder, { recursive: true });
  const running = await server.start({ folder, mode, sinkPort, log });
  const generator = startHelper('generator.js');
  await generator.ask('open', { sessions, port: running.port, size, isPipelined: server.isPipelined });
  return { server, running, generator, rounds: [] };
}

/** Medians over the rounds of one server. */
function summarize({ server, rounds, failure }) {
  if (failure !== undefined) return { name: server.name, failure };
  const middle = (pick) => median(rounds.map(pick));
  const latency = (key) => ({ p50: middle((round) => round[key].p50), p99: middle((round) => round[key].p99) });
  return {
    name: server.name,
    rate: middle((round) => round.rate),
    rates: rounds.map((round) => round.rate),
    accept: latency('accept'),
    ...(rounds[0].endToEnd === undefined ? {} : { endToEnd: latency('endToEnd') }),
  };
}

/**
 * Runs the servers side by side; one summary a server. `count(server)` is the number of messages in a round, `warmUp`
 * the part of it that goes ahead unmeasured.
 */
export async function measureThroughput({
  servers,
  mode,
  sessions,
  size,
  count,
  warmUp,
  rounds,
  sink,
  folder,
  log,
  say,
}) {
  const sinkPort = sink.port;
  const entries = [];
  try {
    for (const server of servers) {
      const place = join(folder, `${mode}-${size}-${servers.indexOf(server)}`);
      const entry = await open({ server, mode, sessions, size, sinkPort, folder: place, log }).catch((error) => ({
        server,
        failure: error.message,
      }));
      entries.push(entry);
    }
    for (let round = -1; round < rounds; round += 1) {
      for (const entry of entries.filter(({ failure }) => failure === undefined)) {
        const messages = count(entry.server);
        await runRound({ ...entry, sink, mode, count: round === -1 ? Math.ceil(messages * warmUp) : messages }).then(
          (result) => {
            if (round >= 0) entry.rounds.push(result);
            say(
              `${mode} ${size}: ${entry.server.name}, ${round < 0 ? 'warm-up' : `round ${round + 1}`}: ${Math.round(result.rate)}/s`,
            );
          },
          (error) => {
            entry.failure = error.message;
            say(`${mode} ${size}: ${entry.server.name} failed: ${error.message}`);
          },
        );
      }
    }
  } finally {
    for (const { running, generator } of entries) {
      await generator?.stop();
      await running?.stop();
    }
  }
  return entries.map(summarize);
}

/** The generator straight into the sink: what the measuring itself can do at most. */
export function direct(sink) {
  return { name: 'none (the sink itself)', start: async () => ({ port: sink.port, stop: async () => {} }) };
}
