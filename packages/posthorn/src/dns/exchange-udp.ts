import { createSocket } from 'node:dgram';
import { Failure } from '@posthorn/smtp/failure/failure';
import { type Exchange, untilReply } from './exchange.ts';
import type { WireReply } from './wire.ts';

/** Datagrams that answer something else; with more of them, somebody is guessing (RFC 5452 §9.2). */
const mostStrangers = 20;

/**
 * Asks over UDP, from a socket of its own: its port is random, and the system drops what comes from other addresses
 * (RFC 5452 §9.2, RFC 5452 §9.1). Rejects with Failure `timeout`, `unreachable`, `protocol` (an attack) or `aborted`.
 */
export function exchangeUdp(exchange: Exchange): Promise<WireReply> {
  const { server, query, read } = exchange;
  return untilReply(exchange, (ending) => {
    const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    let strangers = 0;
    const fail = (cause: unknown) => ending.reject(new Failure('unreachable', 'not reachable', cause));
    socket.on('error', fail);
    socket.on('message', (bytes) => {
      const reply = read(bytes);
      if (reply !== undefined) ending.resolve(reply);
      else if (++strangers > mostStrangers) ending.reject(new Failure('protocol', 'too many forged answers'));
    });
    // Not as the callback of connect, which would get its errors in place of the listener.
    socket.once('connect', () => socket.send(query));
    socket.connect(server.port, server.address);
    return () => {
      socket.removeAllListeners();
      // Errors may still come, and without a listener they would end the process.
      socket.on('error', () => {});
      socket.close();
    };
  });
}
