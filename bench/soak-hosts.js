// Where the mail of the soak goes: a host that takes it and remembers its numbers, and one that does what a host must not.
import { once } from 'node:events';
import { createServer } from 'node:net';

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/** A host that takes all mail; `numbers` counts how often each number arrived. */
export async function startSink() {
  const numbers = new Map();
  const server = createServer((socket) => {
    let isText = false;
    let rest = '';
    socket.on('error', () => {}).setEncoding('latin1');
    socket.write('220 sink.soak.example\r\n');
    const take = (line) => {
      const number = isText ? /^X-Soak: (\d+)$/.exec(line)?.[1] : undefined;
      if (number !== undefined) numbers.set(Number(number), (numbers.get(Number(number)) ?? 0) + 1);
      if (isText && line !== '.') return;
      if (isText || !/^DATA/i.test(line)) socket.write('250 Ok\r\n');
      else socket.write('354 Go ahead\r\n');
      isText = !isText && /^DATA/i.test(line);
      if (/^QUIT/i.test(line)) socket.end();
    };
    socket.on('data', (text) => {
      const lines = (rest + text).split('\r\n');
      rest = lines.pop();
      for (const line of lines) take(line);
    });
  });
  return { port: await listen(server), numbers, close: () => server.close() };
}

const line = `250-${'x'.repeat(500)}\r\n`;
/** Each connection gets the next of these. */
const tricks = [
  (socket) => flood(socket, '220 hi\r\n', line.repeat(100)),
  (socket) => flood(socket, '', '220-and on\r\n'.repeat(1000)),
  (socket) => flood(socket, '220 hi\r\n250 ok\r\n', 'x'.repeat(65_536)),
  () => {},
  (socket) => socket.resetAndDestroy(),
  (socket) => drip(socket, '220 hi there, this takes its time\r\n'),
  (socket) => socket.end('220 hi\r\n250 ok\r\n'),
];

/** A host that answers without an end, too slowly, never, or with garbage. */
export async function startHostileHost() {
  let count = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {}).resume();
    tricks[count++ % tricks.length](socket);
  });
  return { port: await listen(server), close: () => server.close() };
}

function flood(socket, first, more) {
  if (first !== '') socket.write(first);
  const push = () => {
    while (!socket.destroyed && socket.write(more));
  };
  socket.on('drain', push);
  socket.once('data', push);
  if (first === '') push();
}

function drip(socket, text) {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(text[at++ % text.length]);
  }, 1000);
  socket.on('close', () => clearInterval(timer));
}
