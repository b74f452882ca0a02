// As little of a durable relay as one Node process can be: sockets, one put and one remove for each message, synced in
// groups, kept connections to the sink. It checks nothing, knows no queue and no failure, and ends at the first surprise. It shows how much
// of a message's cost is the machine's and Node's own, whatever program runs on them.
import { connect, createServer } from 'node:net';
import { open } from 'lmdb';

const [port, folder, sinkPort] = process.argv.slice(2);
const database = open({ path: folder, encoding: 'binary' });
const envelope = 'MAIL FROM:<sender@bench.example>\r\nRCPT TO:<recipient@bench.example>\r\nDATA\r\n';
const textEnd = Buffer.from('\r\n.\r\n');
const connections = 20;
let nextId = 1;

/** Texts that wait for a connection, and connections that wait for a text. */
const texts = [];
const ready = [];

function relay(text) {
  const outlet = ready.shift();
  if (outlet === undefined) texts.push(text);
  else outlet.send(text);
}

class Outlet {
  constructor() {
    this.replies = 0;
    this.current = undefined;
    this.socket = connect({ host: '127.0.0.1', port: Number(sinkPort), noDelay: true });
    this.socket.on('data', (chunk) => this.read(chunk));
  }

  read(chunk) {
    for (const line of chunk.latin1Slice().split('\r\n')) {
      if (line === '' || line[3] === '-') continue;
      this.replies += 1;
      if (this.replies === 1) this.socket.write('EHLO floor.bench.example\r\n');
      else if (this.replies === 2) this.socket.write(envelope);
      else if (line.startsWith('354')) this.rest();
      else if (this.replies % 4 === 2) void database.remove(this.current);
    }
  }

  rest() {
    const text = texts.shift();
    if (text === undefined) ready.push(this);
    else this.send(text);
  }

  send({ id, bytes }) {
    this.current = id;
    this.socket.cork();
    this.socket.write(bytes);
    this.socket.write(envelope);
    this.socket.uncork();
  }
}

class Inlet {
  constructor(socket) {
    Object.assign(this, { socket, input: Buffer.alloc(0), inText: false, busy: false, output: '' });
    socket.write('220 floor.bench.example ESMTP\r\n');
    socket.on('data', (chunk) => {
      this.input = this.input.length === 0 ? chunk : Buffer.concat([this.input, chunk]);
      if (!this.busy) this.run();
    });
    socket.on('error', () => {});
  }

  run() {
    while (!this.busy && this.step());
    if (this.output === '') return;
    this.socket.write(this.output, 'latin1');
    this.output = '';
  }

  step() {
    const { input } = this;
    const end = input.indexOf(this.inText ? textEnd : '\r\n');
    if (end === -1) return false;
    if (this.inText) {
      const text = input.subarray(0, end + textEnd.length);
      this.input = input.subarray(text.length);
      this.busy = true;
      void this.keep(text);
      return true;
    }
    const verb = String.fromCharCode(input[0]);
    this.input = input.subarray(end + 2);
    this.inText = verb === 'D';
    this.output += verb === 'D' ? '354 Go ahead\r\n' : verb === 'E' ? '250-floor\r\n250 PIPELINING\r\n' : '250 Ok\r\n';
    return true;
  }

  async keep(bytes) {
    const id = nextId++;
    void database.put(id, bytes);
    await database.flushed;
    this.inText = false;
    this.output += '250 Ok\r\n';
    this.busy = false;
    this.run();
    if (sinkPort === undefined) void database.remove(id);
    else relay({ id, bytes });
  }
}

if (sinkPort !== undefined) for (let count = 0; count < connections; count += 1) new Outlet();
createServer({ noDelay: true }, (socket) => new Inlet(socket)).listen({ host: '127.0.0.1', port: Number(port) });
