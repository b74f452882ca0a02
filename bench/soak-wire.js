// What both sides of the soak need: connections that a proxy says come from anywhere, and sessions on them.
import { connect } from 'node:net';

/** Opens a connection that the server takes for one from `address`; nothing that happens to it is an exception. */
export function connectFrom(address, port) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('error', () => {});
  const family = address.includes(':') ? 'TCP6 ' : 'TCP4 ';
  const here = address.includes(':') ? '::1' : '127.0.0.1';
  socket.write(`PROXY ${family}${address} ${here} 40000 ${port}\r\n`);
  return socket;
}

/** Says each of the texts when the reply to the one before is there; the codes of all replies, the greeting's first. */
export function converse(socket, texts, { patience = 30_000 } = {}) {
  return new Promise((resolve) => {
    const codes = [];
    let rest = '';
    const finish = () => {
      socket.destroy();
      resolve(codes);
    };
    socket.setEncoding('latin1').setTimeout(patience, finish);
    socket.on('close', finish);
    socket.on('data', (text) => {
      const lines = (rest + text).split('\r\n');
      rest = lines.pop();
      for (const line of lines) {
        if (line[3] === '-') continue;
        codes.push(Number(line.slice(0, 3)));
        const next = texts[codes.length - 1];
        if (next === undefined) socket.end();
        else socket.write(next, 'latin1');
      }
    });
  });
}
