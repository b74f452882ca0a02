// A client that opens sessions and then says nothing more; run by `fork`, so that its memory and its files are its own.
import { connect } from 'node:net';

/** Opened at once: more would overrun the backlog of a listener. */
const atOnce = 100;
const open = [];

function openSession({ port, localAddress }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    let text = '';
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`a session was closed: ${text.trim()}`)));
    socket.on('data', (bytes) => {
      const isGreeted = text !== '';
      text = bytes.latin1Slice();
      if (!isGreeted) socket.write('EHLO idle.bench.example\r\n');
      else if (/^250 /m.test(text)) resolve(socket);
    });
  });
}

const requests = {
  async open({ port, count, localAddress }) {
    for (let left = count; left > 0; left -= atOnce) {
      const group = Array.from({ length: Math.min(left, atOnce) }, () => openSession({ port, localAddress }));
      open.push(...(await Promise.all(group)));
    }
  },

  /** How many of the sessions are still open. */
  count: async () => open.filter((socket) => socket.readyState === 'open').length,

  async close() {
    for (const socket of open.splice(0)) socket.removeAllListeners('close').destroy();
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
