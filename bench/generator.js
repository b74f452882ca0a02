// The load: sessions that send numbered messages as fast as the server lets them, pipelined as RFC 2920 allows. The
// envelope leaves in one write, and a text carries the envelope of the next message behind it where the server bears that. Bytes are built
// before the clock starts; only the stamp is written anew. Run by `fork`; it talks to the benchmark by messages.
import { connect } from 'node:net';
import { composeMessage, findStamp, now, writeStamp } from './wire.js';

const envelope = 'MAIL FROM:<sender@bench.example>\r\nRCPT TO:<recipient@bench.example>\r\nDATA\r\n';
/** The replies of one message, in order. */
const cycle = [250, 250, 354, 250];

/** One fixed count of messages: numbers are handed to whichever session is free. */
class Round {
  constructor({ first, count, pause }) {
    Object.assign(this, { first, count, pause, taken: 0, accepted: 0, start: now(), end: 0 });
    this.latencies = new Float64Array(count);
    this.sent = new Float64Array(count);
    this.done = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
  }

  take() {
    return this.taken < this.count ? this.taken++ : undefined;
  }

  accept(index) {
    this.end = now();
    this.latencies[index] = this.end - this.sent[index];
    this.accepted += 1;
    if (this.accepted === this.count) this.resolve();
  }
}

let round;

class Session {
  constructor({ port, size, host, isPipelined }) {
    this.step = 0;
    this.isPipelined = isPipelined;
    this.isGreeted = false;
    this.rest = '';
    this.current = undefined;
    const text = composeMessage(size);
    this.stamp = findStamp(text);
    this.bytes = Buffer.concat([text, Buffer.from(isPipelined ? `.\r\n${envelope}` : '.\r\n')]);
    this.socket = connect({ host, port, noDelay: true });
    this.socket.on('data', (chunk) => this.read(chunk));
    this.socket.on('error', (error) => this.fail(error.message));
    this.socket.on('close', () => this.fail('the server closed a session'));
    this.ready = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.isReady = false;
  }

  fail(why) {
    const error = new Error(why);
    this.reject(error);
    round?.reject(error);
  }

  read(chunk) {
    const text = this.rest + chunk.latin1Slice();
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      if (text.charCodeAt(start + 3) !== 0x2d)
        this.answer(Number(text.slice(start, start + 3)), text.slice(start, end));
      start = end + 1;
    }
    this.rest = text.slice(start);
  }

  answer(code, line) {
    if (!this.isGreeted) return this.greet(code, line);
    if (code !== cycle[this.step]) return this.fail(`step ${this.step} was answered: ${line}`);
    const step = this.step;
    this.step = (step + 1) % cycle.length;
    if (step === 2) this.isReady = true;
    if (step === 2) this.sendSoon();
    if (step === 3) round.accept(this.current);
    if (step === 3 && !this.isPipelined) this.socket.write(envelope);
  }

  greet(code, line) {
    if (code === 220) return this.socket.write('EHLO generator.bench.example\r\n');
    if (code !== 250) return this.fail(`the greeting was: ${line}`);
    this.isGreeted = true;
    this.socket.write(envelope);
  }

  sendSoon() {
    if (round?.pause > 0) setTimeout(() => this.send(), round.pause);
    else this.send();
  }

  /** Sends the next text, if the server waits for one and the round has one left. */
  send() {
    if (!this.isReady) return;
    this.resolve();
    const index = round?.take();
    if (index === undefined) return;
    this.isReady = false;
    this.current = index;
    const time = now();
    round.sent[index] = time;
    writeStamp(this.bytes, this.stamp, { number: round.first + index, time });
    this.socket.write(this.bytes);
  }
}

let sessions = [];

const requests = {
  async open({ sessions: count, port, size, host = '127.0.0.1', isPipelined = true }) {
    sessions = Array.from({ length: count }, () => new Session({ port, size, host, isPipelined }));
    await Promise.all(sessions.map((session) => session.ready));
  },

  async run({ first, count, seconds, pause = 0 }) {
    round = new Round({ first, count, pause });
    const limit = setTimeout(
      () => round.reject(new Error(`only ${round.accepted} of ${count} messages were accepted in ${seconds} s`)),
      seconds * 1000,
    );
    for (const session of sessions) session.send();
    await round.done.finally(() => clearTimeout(limit));
    const { start, end, latencies, sent } = round;
    round = undefined;
    return { start, end, latencies, sent };
  },

  async close() {
    for (const session of sessions) {
      session.socket.removeAllListeners('close').on('error', () => {});
      session.socket.destroy();
    }
    sessions = [];
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
