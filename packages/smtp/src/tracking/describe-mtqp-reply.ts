import { formatMtqpReply, type MtqpReply } from '../mtqp/mtqp-reply.ts';

/** A reply in one line for people. */
export function describeMtqpReply(reply: MtqpReply): string {
  const { lines: _, ...status } = reply;
  return formatMtqpReply(status).trimEnd();
}
