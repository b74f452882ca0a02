import { connect } from 'node:net';
import { Failure } from '@posthorn/smtp/failure/failure';
import { type Exchange, untilReply } from './exchange.ts';
import type { WireReply } from './wire.ts';

/** Asks over TCP, one query a connection (RFC 7766 §8). Rejects with Failure `timeout`, `unreachable`, `protocol` or `aborted`. */
export function exchangeTcp(exchange: Exchange): Promise<WireReply> {
  const { server, query, read } = exchange;
  return untilReply(exchange, (ending) => {
    const socket = connect({ host: server.address, port: server.port });
    let received = Buffer.alloc(0);
    const fail = (cause?: unknown) => ending.reject(new Failure('unreachable', 'not reachable over TCP', cause));
    socket.on('error', fail);
    socket.on('end', () => fail());
    socket.on('data', (piece) => {
      received = Buffer.concat([received, piece]);
      const end = received.length < 2 ? Number.POSITIVE_INFINITY : received.readUInt16BE(0) + 2;
      if (received.length < end) return;
      const reply = read(received.subarray(2, end));
      if (reply !== undefined) ending.resolve(reply);
      else ending.reject(new Failure('protocol', 'no answer to the question'));
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
    return () => {
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
    };
  });
}
