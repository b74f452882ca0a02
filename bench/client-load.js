// One client that sends ready-made messages over a pool of connections; run by `fork`, with each client in a process of
// its own.
import { createClient } from '@posthorn/smtp/client';
import { createTransport } from 'nodemailer';
import { composeMessage, findStamp, now, writeStamp } from './wire.js';

const from = 'sender@bench.example';
const to = ['recipient@bench.example'];
/** Messages handed to the client and not yet settled. */
const inFlight = 500;

const clients = {
  posthorn({ port, connections }) {
    const limits = { connections, messagesPerConnection: Number.MAX_SAFE_INTEGER };
    const client = createClient({ host: '127.0.0.1', port, tls: 'none', limits });
    return async (raw) => {
      const result = await client.send({ envelope: { from, to }, text: raw });
      if (result.recipients[0].kind !== 'accepted') throw new Error('a recipient was not accepted');
    };
  },

  nodemailer({ port, connections }) {
    const pool = { pool: true, maxConnections: connections, maxMessages: Number.POSITIVE_INFINITY };
    const transport = createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true, ...pool });
    return async (raw) => {
      const result = await transport.sendMail({ envelope: { from, to }, raw });
      if (result.accepted.length !== 1) throw new Error('a recipient was not accepted');
    };
  },
};

let send;

function composeAll({ first, count, size }) {
  const text = composeMessage(size);
  const stamp = findStamp(text);
  return Array.from({ length: count }, (_, index) => {
    const copy = Buffer.from(text);
    writeStamp(copy, stamp, { number: first + index, time: now() });
    return copy;
  });
}

const requests = {
  async open({ name, port, connections }) {
    send = clients[name]({ port, connections });
  },

  async run({ first, count, size }) {
    const messages = composeAll({ first, count, size });
    const start = now();
    const work = async () => {
      for (let message = messages.pop(); message !== undefined; message = messages.pop()) await send(message);
    };
    await Promise.all(Array.from({ length: inFlight }, work));
    return { start, end: now() };
  },
};

process.on('message', async ({ request, ...options }) => {
  try {
    process.send({ value: await requests[request](options) });
  } catch (error) {
    process.send({ error: error.message });
  }
});

// Without the benchmark there is nothing to do.
process.once('disconnect', () => process.exit());
