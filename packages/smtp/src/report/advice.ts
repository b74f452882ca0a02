import type { Status } from '../reply/reply.ts';

/** By subject and detail of the status first, then by subject alone (RFC 3463 §3). */
const advice: Readonly<Record<string, string>> = {
  '1': 'The address is not known there. Check it for typing errors, and write again to the right one.',
  '1.8': 'Your own address is not accepted there. Check the sender address that your mail program uses.',
  '1.7': 'Your own address is not accepted there. Check the sender address that your mail program uses.',
  '2': 'The mailbox takes no mail now. Reach the recipient in another way, or write again later.',
  '2.2': 'The mailbox is full. Reach the recipient in another way, or write again later.',
  '2.3': 'The message is too large for this mailbox. Send less at a time, or share the files in another way.',
  '3': 'The mail system of the recipient cannot take this message now. Write again later.',
  '3.4': 'The message is too large. Send less at a time, or share the files in another way.',
  '4': 'The mail system of the recipient could not be reached. Check the part behind the @, or write again later.',
  '4.6': 'The message went round in a circle. Those who run the mail systems named below have to mend this.',
  '5': 'The two mail systems did not understand each other. Those who run them have to look into it.',
  '6': 'The mail system of the recipient cannot take a message of this form. Send it as plain text or in another form.',
  '6.7': 'The mail system of the recipient cannot take addresses with letters beyond ASCII. Ask for another address.',
  '6.9':
    'The mail system of the recipient cannot take headers with letters beyond ASCII. Use other names and addresses.',
  '7': 'The message was refused by a rule. The words of the host may say which; the recipient can ask those who run it.',
};

/** What the sender can do about a failure, in one or two plain sentences (RFC 3463 §3). */
export function adviceFor(status: Status): string | undefined {
  const [, subject, detail] = status.split('.');
  return advice[`${subject}.${detail}`] ?? advice[subject as string];
}
