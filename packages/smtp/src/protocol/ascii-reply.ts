import type { Reply } from '../reply/reply.ts';
import { isAscii } from './command-line.ts';
import { serverReply } from './server-reply.ts';

/** Whether every line of the reply may go to a client that did not ask for SMTPUTF8 (RFC 6531 §3.7.4.2). */
function isAsciiReply(reply: Reply): boolean {
  return reply.lines.every(isAscii);
}

/** What stands for an answer to VRFY or EXPN that the client cannot read (RFC 6531 §3.7.4.2). */
export function withoutUtf8(reply: Reply): Reply {
  if (isAsciiReply(reply)) return reply;
  return reply.code < 300 ? serverReply.replyNotAscii : serverReply.refusalNotAscii;
}

/** What stands for a reply to RCPT that the client cannot read: 251 and 551 tell no address then (RFC 6531 §3.7.1). */
export function withoutForward(reply: Reply): Reply {
  if (isAsciiReply(reply)) return reply;
  const code = reply.code === 251 ? 250 : reply.code === 551 ? 550 : reply.code;
  return { ...reply, code, lines: ['The answer needs SMTPUTF8'] };
}
