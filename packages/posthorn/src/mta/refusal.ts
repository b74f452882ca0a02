import type { Reply } from '@posthorn/smtp/reply/reply';

/** Ends the taking of a message with a reply of its own. */
export class Refusal extends Error {
  readonly reply: Reply;

  constructor(reply: Reply) {
    super(reply.lines.join(' '));
    this.reply = reply;
  }
}
