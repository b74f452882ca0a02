// What hostile clients do to the server of the soak, all at once and in a process of their own. Run by `fork`.
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { startHostileHost } from './soak-hosts.js';
import { connectFrom, converse } from './soak-wire.js';

let isOver = false;
let port = 0;
const open = new Set();
const counts = {};

/** Addresses of a few hundred networks, so that no bound on one of them ends it all. */
function stranger() {
  return `10.${randomInt(256)}.${randomInt(4)}.${randomInt(1, 255)}`;
}

function attack() {
  const socket = connectFrom(stranger(), port);
  open.add(socket);
  socket.on('close', () => open.delete(socket));
  return socket;
}

/** Lives for so many milliseconds at most. */
async function lifeOf(socket, time) {
  const timer = setTimeout(() => socket.destroy(), time);
  await new Promise((resolve) => (socket.destroyed ? resolve() : socket.once('close', resolve)));
  clearTimeout(timer);
}

const begin = 'EHLO evil.example\r\nMAIL FROM:<>\r\n';

const attacks = {
  'connects and leaves': { parallel: 4, pause: 25, run: async () => void attack().on('connect', leave) },
  'connects and says nothing': { parallel: 200, pause: 50, run: () => lifeOf(attack().resume(), 15_000) },
  'does not read': { parallel: 30, pause: 100, run: floodUnread },
  'sends an octet at a time': { parallel: 50, pause: 100, run: drip },
  'sends garbage': { parallel: 2, pause: 200, run: () => sendAndLeave(randomBytes(65_536)) },
  'sends lines without an end': { parallel: 2, pause: 200, run: sendEndlessLine },
  'sends half a message': { parallel: 3, pause: 200, run: sendHalf },
  'asks for thousands of recipients': { parallel: 2, pause: 300, run: askForMany },
  'announces what it never sends': { parallel: 10, pause: 300, run: announce },
  'sends to a host that is hostile itself': { parallel: 1, pause: 500, run: sendToHostile },
};

function leave() {
  this.destroy();
}

async function floodUnread() {
  const socket = attack();
  socket.pause();
  const commands = Buffer.from('EHLO evil.example\r\n'.padEnd(20, '\n') + 'HELP\r\n'.repeat(10_000));
  socket.write(commands);
  await lifeOf(socket, 10_000);
}

async function drip() {
  const socket = attack().resume();
  const text = `${begin}RCPT TO:<a@good.example>\r\nDATA\r\n${'x'.repeat(1000)}`;
  let at = 0;
  const timer = setInterval(() => socket.write(text[at++ % text.length]), 200);
  await lifeOf(socket, 20_000);
  clearInterval(timer);
}

async function sendAndLeave(octets) {
  const socket = attack().resume();
  socket.write(octets);
  await lifeOf(socket, 3000);
}

async function sendEndlessLine() {
  const socket = attack().resume();
  const piece = Buffer.alloc(65_536, 'x');
  for (let count = 0; count < 64 && !socket.destroyed; count += 1) {
    if (!socket.write(piece))
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), delay(2000)]);
  }
  await lifeOf(socket, 1000);
}

async function sendHalf() {
  const socket = attack().resume();
  socket.write(`${begin}RCPT TO:<a@good.example>\r\nDATA\r\n`);
  await delay(200);
  for (let count = 0; count < 20; count += 1) socket.write(`${'y'.repeat(70)}\r\n`.repeat(300));
  await delay(randomInt(500));
  socket.destroy();
}

async function askForMany() {
  const socket = attack().resume();
  const rcpt = Array.from({ length: 5000 }, (_, index) => `RCPT TO:<u${index}@elsewhere.example>\r\n`).join('');
  socket.write(begin + rcpt);
  await lifeOf(socket, 5000);
}

async function announce() {
  const socket = attack().resume();
  socket.write(`${begin}RCPT TO:<a@good.example>\r\nBDAT 40000000\r\nno more`);
  await lifeOf(socket, 10_000);
}

async function sendToHostile() {
  const text = 'Subject: x\r\n\r\nHello\r\n.\r\n';
  const mail = ['EHLO evil.example\r\n', 'MAIL FROM:<>\r\n', 'RCPT TO:<a@hostile.example>\r\n', 'DATA\r\n', text];
  await converse(attack(), [...mail, 'QUIT\r\n']);
}

async function repeat(name, { pause, run }) {
  while (!isOver) {
    counts[name] = (counts[name] ?? 0) + 1;
    await Promise.race([run(), delay(30_000, undefined, { ref: false })]);
    await delay(pause);
  }
}

const requests = {
  async hosts() {
    return { hostile: (await startHostileHost()).port };
  },
  start(message) {
    port = message.port;
    for (const [name, how] of Object.entries(attacks))
      for (let index = 0; index < how.parallel; index += 1) void repeat(name, how);
    return true;
  },
  stop() {
    isOver = true;
    for (const socket of open) socket.destroy();
    return counts;
  },
};

process.on('message', async (message) => {
  try {
    process.send({ value: await requests[message.request](message) });
  } catch (error) {
    process.send({ error: String(error) });
  }
});
