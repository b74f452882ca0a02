// What generator and sink agree on: the header that numbers and dates every message, and a clock both can read.

const label = 'X-Bench: ';
const numberDigits = 10;
const timeDigits = 17;
const marker = Buffer.from(label);
/** Octets from the label to the end of the time. */
const stampLength = label.length + numberDigits + 1 + timeDigits;

/** Microseconds of the monotonic clock, which all processes of one machine share. */
export function now() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

/** A message of `size` octets with CRLF line ends, whose stamp `writeStamp` fills in. */
export function composeMessage(size) {
  const head = [
    'From: Sender <sender@bench.example>',
    'To: Recipient <recipient@bench.example>',
    'Subject: A message of the benchmark',
    'Date: Thu, 01 Jan 2026 00:00:00 +0000',
    'Message-ID: <benchmark@bench.example>',
    `${label}${'0'.repeat(numberDigits)} ${'0'.repeat(timeDigits)}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    '',
  ].join('\r\n');
  const line = `${'The quick brown fox jumps over the lazy dog, again and again. '.padEnd(74, 'x')}\r\n`;
  const body = line.repeat(Math.ceil((size - head.length) / line.length)).slice(0, size - head.length - 2);
  return Buffer.from(`${head}${body.replace(/[\r\n]$/, 'x')}\r\n`);
}

/** Where in a text the stamp begins; -1 without one. */
export function findStamp(text) {
  return text.indexOf(marker);
}

/** Fills in number and time of the message at `offset`, the place that `findStamp` gave. */
export function writeStamp(text, offset, { number, time }) {
  const start = offset + label.length;
  text.latin1Write(String(number).padStart(numberDigits, '0'), start, numberDigits);
  text.latin1Write(String(Math.floor(time)).padStart(timeDigits, '0'), start + numberDigits + 1, timeDigits);
}

/** Number and time of a text; undefined while the stamp has not come in to its end. */
export function readStamp(text) {
  const offset = findStamp(text);
  if (offset === -1 || text.length < offset + stampLength) return undefined;
  const start = offset + label.length;
  return {
    number: Number(text.latin1Slice(start, start + numberDigits)),
    time: Number(text.latin1Slice(start + numberDigits + 1, start + numberDigits + 1 + timeDigits)),
  };
}
