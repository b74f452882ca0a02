import { type Reply, reply } from '../reply/reply.ts';

/** The replies that a session gives by itself (RFC 5321 §4.2.3). */
export const serverReply = {
  ok: reply(250, '2.0.0', 'Ok'),
  sender: reply(250, '2.1.0', 'Sender ok'),
  recipient: reply(250, '2.1.5', 'Recipient ok'),
  accepted: reply(250, '2.0.0', 'Ok: message accepted'),
  startText: reply(354, undefined, 'End data with <CR><LF>.<CR><LF>'),
  goodbye: reply(221, '2.0.0', 'Bye'),
  unverified: reply(252, '2.0.0', 'Cannot verify the user, but will take mail for it'),
  domainList: reply(501, '5.5.4', 'Bad domain list'),
  tlsUnavailable: reply(454, '4.7.0', 'TLS is not available for now'),
  startTls: reply(220, '2.0.0', 'Ready to start TLS'),
  queueStarted: reply(250, '2.0.0', 'Ok: queuing started'),
  turning: reply(250, '2.0.0', 'Ok: now reversing the connection'),
  authenticated: reply(235, '2.7.0', 'Authentication successful'),

  sequence: reply(503, '5.5.1', 'Bad sequence of commands'),
  noHello: reply(503, '5.5.1', 'Send EHLO first'),
  noLmtpHello: reply(503, '5.5.1', 'Send LHLO first'),
  nested: reply(503, '5.5.1', 'A transaction is under way'),
  noSender: reply(503, '5.5.1', 'Send MAIL first'),
  noRecipients: reply(554, '5.5.1', 'No valid recipients'),
  noLmtpRecipients: reply(503, '5.5.1', 'No valid recipients'),
  chunksBegan: reply(503, '5.5.1', 'The text comes in BDAT chunks'),
  recipientsKnown: reply(503, '5.5.1', 'The recipients are known from before; send DATA or BDAT'),
  chunkFailed: reply(503, '5.5.1', 'A chunk was refused; send RSET'),
  binaryByData: reply(503, '5.5.1', 'BINARYMIME needs BDAT'),
  tlsActive: reply(503, '5.5.1', 'TLS is already active'),
  authNotOffered: reply(503, '5.5.1', 'Authentication is not offered here'),
  authDone: reply(503, '5.5.1', 'Already authenticated'),
  notServed: reply(502, '5.5.1', 'Command not implemented'),
  smtpOnly: reply(500, '5.5.1', 'This is LMTP: send LHLO'),
  lmtpOnly: reply(500, '5.5.1', 'This is SMTP: send EHLO'),
  noMailHere: reply(503, '5.5.1', 'No mail is taken here; send QUIT'),
  tlsNeeded: reply(530, '5.7.0', 'Must issue a STARTTLS command first'),
  authNeeded: reply(530, '5.7.0', 'Authentication required'),
  unknownTopic: reply(504, '5.5.4', 'No help on this topic'),

  bareLf: reply(500, '5.5.2', 'Lines must end in CRLF'),
  senderNotAscii: reply(550, '5.6.7', 'Address is not ASCII and SMTPUTF8 was not requested'),
  recipientNotAscii: reply(553, '5.6.7', 'Address is not ASCII and SMTPUTF8 was not requested'),
  replyNotAscii: reply(252, '2.6.8', 'The answer needs SMTPUTF8'),
  refusalNotAscii: reply(550, '5.6.8', 'The answer needs SMTPUTF8'),
  tooBig: reply(552, '5.3.4', 'Message size exceeds the fixed limit'),
  belowMinimum: reply(555, '5.5.4', 'Less time than is needed here'),
  holdIsOver: reply(501, '5.5.4', 'The time of release is past'),
  holdTooLong: reply(501, '5.5.4', 'Held for longer than is offered'),
  holdBeyondDelivery: reply(501, '5.5.4', 'Released later than it is to be delivered'),
  bareLineEnd: reply(550, '5.5.2', 'Text has a CR or LF outside of CRLF'),
  tooManyRecipients: reply(452, '4.5.3', 'Too many recipients'),
  tooManyDomains: reply(452, '4.5.3', 'Too many recipient domains'),

  authUnavailable: reply(454, '4.7.0', 'Temporary authentication failure'),
  authMechanism: reply(504, '5.5.4', 'Authentication mechanism not offered'),
  authInvalid: reply(535, '5.7.8', 'Authentication credentials invalid'),
  authCancelled: reply(501, '5.7.0', 'Authentication cancelled'),
  authBase64: reply(501, '5.5.2', 'Not valid base64'),
  authMalformed: reply(501, '5.5.2', 'Malformed authentication message'),
  authEarly: reply(501, '5.7.0', 'The mechanism begins with a challenge'),
  authLineTooLong: reply(500, '5.5.6', 'Authentication line is too long'),

  full: reply(452, '4.3.1', 'Insufficient system storage'),
  failed: reply(451, '4.3.0', 'Local error in processing'),
  earlyGreeting: reply(521, '5.5.1', 'Talked before the greeting'),
  earlyCommands: reply(554, '5.5.0', 'Commands were sent before their turn'),
} as const satisfies Record<string, Reply>;

/** Why the server ends a session. */
export type Farewell = keyof typeof farewells;

/** The last reply of a session that the server ends; the host name is its first word (RFC 5321 §3.8, RFC 5321 §4.2). */
export function farewell(hostname: string, why: Farewell): Reply {
  const [status, text] = farewells[why];
  return reply(421, status, `${hostname} ${text}`);
}

const farewells = {
  shutdown: ['4.3.2', 'Service is shutting down'],
  idle: ['4.4.2', 'Timeout'],
  lifetime: ['4.4.2', 'Session lasted too long'],
  errors: ['4.7.0', 'Too many errors'],
  authFailures: ['4.7.0', 'Too many failed authentications'],
  mails: ['4.7.0', 'Too many messages in this session'],
  otherProtocol: ['4.7.0', 'This is a mail server'],
  lostPlace: ['4.3.0', 'Cannot tell where the chunk ends'],
  fault: ['4.3.0', 'Internal error'],
  connections: ['4.7.0', 'Too many connections'],
} as const satisfies Record<string, readonly [`4.${number}.${number}`, string]>;
