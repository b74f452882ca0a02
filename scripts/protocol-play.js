import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

const hello = 'EHLO me.example';
/** By the word before a dialogue: which listener it is played at, and what is said there first. */
const places = {
  '': { role: 'mx', first: [hello] },
  tls: { role: 'submissions', first: [hello] },
  login: { role: 'submissions', first: [hello, 'AUTH PLAIN AGFsaWNlAHNlc2FtZQ=='] },
  odmr: { role: 'odmr', first: [hello, 'AUTH EXTERNAL ='] },
  lmtp: { role: 'lmtp', first: ['LHLO me.example'] },
  mtqp: { role: 'mtqp', first: [] },
  none: { role: 'none', first: [] },
};
/** The longest that an answer may take, in milliseconds. */
const patience = 20_000;

/**
 * Plays the lines of a dialogue at the listener for its place; gives what was said, `C: …` and `S: …`, but for what belongs
 * to the place, and the last answer.
 */
export async function playDialogue({ place, lines }, portOf) {
  const { role, first } = places[place];
  const talk = await Talk.open(portOf(role), role === 'submissions');
  try {
    await talk.answer();
    // The greeting is an answer to nothing but that.
    if (lines[0] !== 'connect') {
      await talk.sayAll(first);
      talk.said = [];
      await talk.sayAll(lines);
    }
    return { said: talk.said, answer: talk.last };
  } finally {
    talk.close();
  }
}

/** Whether one line of an answer begins as expected; whether others follow that line does not matter. */
export function isAnswer(answer, expected) {
  const plain = (line) => line.replace(/^(\d{3})-/, '$1 ');
  return answer.some((line) => `${plain(line)} `.startsWith(`${plain(expected)} `));
}

class Talk {
  said = [];
  last = [];
  #socket;
  #text = '';
  #wake = () => {};
  #isLmtp = false;
  #recipients = 0;

  static async open(port, secure) {
    const talk = new Talk();
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false };
    talk.#take(secure ? connectTls(options) : connect(options));
    await once(talk.#socket, secure ? 'secureConnect' : 'connect');
    return talk;
  }

  #take(socket) {
    this.#socket = socket;
    socket.setTimeout(patience, () => socket.destroy());
    socket.on('error', () => {});
    for (const event of ['readable', 'end', 'close']) socket.on(event, () => this.#wake());
  }

  async sayAll(lines) {
    for (let at = 0; at < lines.length; ) at += await this.#sayOne(lines.slice(at));
  }

  /** Says the first line, with the octets that belong to it; gives how many lines that were. */
  async #sayOne([line, ...behind]) {
    const [verb, size] = line.toUpperCase().split(' ');
    const chunk = verb === 'BDAT' ? untilSize(behind, Number(size)) : [];
    this.#send(line, ...chunk);
    await this.answer();
    this.#count(verb);
    if (verb === 'STARTTLS' && this.last[0].startsWith('220 ')) await this.#secure();
    if (verb !== 'DATA' || !this.last[0].startsWith('354')) return 1 + chunk.length;
    return 1 + (await this.#sendText(behind));
  }

  async #sendText(behind) {
    if (behind.length === 0) return 0;
    const text = behind.slice(0, behind.indexOf('.') + 1);
    this.#send(...text);
    for (let left = this.#isLmtp ? this.#recipients : 1; left > 0; left -= 1) await this.answer();
    return text.length;
  }

  #count(verb) {
    if (verb === 'LHLO') this.#isLmtp = true;
    if (verb === 'MAIL') this.#recipients = 0;
    if (verb === 'RCPT' && this.last[0].startsWith('25')) this.#recipients += 1;
  }

  #send(...lines) {
    this.said.push(...lines.map((line) => `C: ${line}`));
    this.#socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  /** Reads one answer: the lines of a reply, or those of a tracking server, or a command where the roles have turned. */
  async answer() {
    this.last = [];
    do this.last.push(await this.#line());
    while (!isWhole(this.last));
    this.said.push(...this.last.map((line) => `S: ${line}`));
  }

  async #line() {
    for (;;) {
      const end = this.#text.indexOf('\r\n');
      const line = this.#text.slice(0, Math.max(end, 0));
      if (end >= 0) this.#text = this.#text.slice(end + 2);
      if (end >= 0) return line;
      const piece = this.#socket.read();
      if (piece !== null) this.#text += piece.toString();
      else if (this.#socket.destroyed || this.#socket.readableEnded)
        throw new Error(`no answer to ${this.said.at(-1)}`);
      else await new Promise((resolve) => (this.#wake = resolve));
    }
  }

  async #secure() {
    this.#socket.removeAllListeners('readable');
    this.#take(connectTls({ socket: this.#socket, rejectUnauthorized: false }));
    await once(this.#socket, 'secureConnect');
  }

  close() {
    this.#socket.destroy();
  }
}

function isWhole(lines) {
  return lines[0].startsWith('+OK+') ? lines.at(-1) === '.' : !/^\d{3}-/.test(lines.at(-1));
}

/** As many lines as make so many octets. */
function untilSize(lines, size) {
  let octets = 0;
  const count = lines.findIndex((line) => {
    if (octets >= size) return true;
    octets += Buffer.byteLength(line) + 2;
    return false;
  });
  return count < 0 ? lines : lines.slice(0, count);
}
