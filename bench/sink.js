// Where relayed messages end: as little of an SMTP server as gets through a transaction, so that it never limits what
// is measured. It counts every number once and refuses to count it twice. Run by `fork`.
import { createServer } from 'node:net';
import { now, readStamp } from './wire.js';

const ehlo = Buffer.from('250-sink.bench.example\r\n250-PIPELINING\r\n250-SIZE 209715200\r\n250 8BITMIME\r\n');
const replies = {
  E: ehlo,
  H: Buffer.from('250 sink.bench.example\r\n'),
  D: Buffer.from('354 Go ahead\r\n'),
  Q: Buffer.from('221 Bye\r\n'),
};
const ok = Buffer.from('250 Ok\r\n');
const later = Buffer.from('451 4.3.0 Not now\r\n');
const textEnd = Buffer.from('\r\n.\r\n');
/** Octets of a text searched for its stamp. */
const headLimit = 65_536;

let expected;
let isDeferring = false;
let deferred = 0;

/** What became of the numbers `first` to `first + count - 1`. */
class Expected {
  constructor({ first, count }) {
    Object.assign(this, { first, count, seen: 0, duplicates: 0, strangers: 0, last: 0 });
    this.marks = new Uint8Array(count);
    this.latencies = new Float64Array(count);
    this.complete = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  arrive(stamp) {
    const index = stamp === undefined ? -1 : stamp.number - this.first;
    if (!(index >= 0 && index < this.count)) this.strangers += 1;
    else if (this.marks[index] === 1) this.duplicates += 1;
    else this.record(index, stamp.time);
  }

  record(index, time) {
    this.marks[index] = 1;
    this.last = now();
    this.latencies[index] = this.last - time;
    this.seen += 1;
    if (this.seen === this.count) this.resolve();
  }
}

class Session {
  constructor(socket) {
    this.socket = socket;
    this.rest = undefined;
    this.inText = false;
    this.isOver = false;
    this.output = [];
    socket.on('data', (chunk) => this.read(chunk));
    socket.on('error', () => socket.destroy());
    socket.write('220 sink.bench.example ESMTP\r\n');
  }

  read(chunk) {
    let at = 0;
    while (at < chunk.length) at = this.inText ? this.readText(chunk, at) : this.readLine(chunk, at);
    if (this.output.length === 0) return;
    this.socket.write(this.output.length === 1 ? this.output[0] : Buffer.concat(this.output));
    this.output = [];
    if (this.isOver) this.socket.end();
  }

  readLine(chunk, at) {
    const end = chunk.indexOf(10, at);
    const piece = chunk.subarray(at, end === -1 ? chunk.length : end);
    const line = this.rest === undefined ? piece : Buffer.concat([this.rest, piece]);
    this.rest = end === -1 ? line : undefined;
    if (end === -1) return chunk.length;
    const verb = String.fromCharCode(line[0] & 0xdf);
    const isDeferred = isDeferring && (verb === 'D' || (verb === 'R' && line[1] !== 0x53));
    if (isDeferred && verb === 'R') deferred += 1;
    this.output.push(isDeferred ? later : (replies[verb] ?? ok));
    if (verb === 'D' && !isDeferred) this.beginText();
    if (verb === 'Q') this.isOver = true;
    return end + 1;
  }

  beginText() {
    this.inText = true;
    this.stamp = undefined;
    this.head = undefined;
    // An empty text ends in a dot right after the line of DATA.
    this.tail = Buffer.from('\r\n');
  }

  readText(chunk, at) {
    const piece = chunk.subarray(at);
    const end = this.findEnd(piece);
    const text = end === -1 ? piece : piece.subarray(0, end);
    if (this.stamp === undefined) this.readHead(text);
    if (end === -1) return chunk.length;
    this.inText = false;
    this.output.push(ok);
    expected?.arrive(this.stamp);
    return at + end;
  }

  /** Offset behind the end of the text; the end may be cut in two by the chunks. */
  findEnd(piece) {
    const seam = Buffer.concat([this.tail, piece.subarray(0, textEnd.length - 1)]);
    const inSeam = seam.indexOf(textEnd);
    if (inSeam !== -1 && inSeam + textEnd.length > this.tail.length) return inSeam + textEnd.length - this.tail.length;
    const found = piece.indexOf(textEnd);
    if (found !== -1) return found + textEnd.length;
    const joined = piece.length >= 4 ? piece : Buffer.concat([this.tail, piece]);
    this.tail = Buffer.from(joined.subarray(Math.max(0, joined.length - 4)));
    return -1;
  }

  readHead(text) {
    if (this.head !== undefined && this.head.length > headLimit) return;
    const head = this.head === undefined ? text : Buffer.concat([this.head, text]);
    this.stamp = readStamp(head);
    if (this.stamp === undefined) this.head = head;
  }
}

const server = createServer({ noDelay: true }, (socket) => new Session(socket));

const requests = {
  listen: () =>
    new Promise((resolve) =>
      server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => resolve(server.address().port)),
    ),

  expect({ first, count }) {
    expected = new Expected({ first, count });
  },

  /** Waits until all expected messages are there, or until none has come for `seconds`. */
  async collect({ seconds }) {
    const { promise: stalled, stop } = stall(seconds);
    await Promise.race([expected.complete, stalled]).finally(stop);
    const { seen, count, duplicates, strangers, last, latencies } = expected;
    return { seen, missing: count - seen, duplicates, strangers, last, latencies };
  },

  /** Answers every recipient with 451 from now on, or no more. */
  defer({ on }) {
    isDeferring = on;
    deferred = 0;
  },

  /** How many recipients were deferred. */
  deferred: () => deferred,
};

function stall(seconds) {
  let seen = -1;
  let timer;
  const promise = new Promise((resolve) => {
    timer = setInterval(() => {
      if (expected.seen === seen) resolve();
      seen = expected.seen;
    }, seconds * 1000);
  });
  return { promise, stop: () => clearInterval(timer) };
}

process.on('message', async ({ request, ...options }) => {
  process.send({ value: await requests[request](options) });
});

// Without the benchmark there is nothing to do.
process.once('disconnect', () => process.exit());
