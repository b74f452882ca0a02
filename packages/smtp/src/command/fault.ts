import { type Reply, reply } from '../reply/reply.ts';

/** The replies to command lines that cannot be read (RFC 5321 §4.2.2, RFC 3463 §3.6, RFC 6710 §4.1). */
export const fault = {
  unknownVerb: reply(500, '5.5.1', 'Command not recognized'),
  syntax: reply(500, '5.5.2', 'Syntax error'),
  lineTooLong: reply(500, '5.5.2', 'Line too long'),
  characters: reply(501, '5.5.2', 'Characters outside of printable ASCII'),
  argument: reply(501, '5.5.4', 'Syntax error in arguments'),
  noArgument: reply(501, '5.5.4', 'No argument is allowed here'),
  sender: reply(501, '5.1.7', 'Bad address in reverse-path'),
  recipient: reply(501, '5.1.3', 'Bad address in forward-path'),
  parameter: reply(501, '5.5.4', 'Bad parameter value'),
  priority: reply(501, '5.5.2', 'Bad priority'),
  noEnvelopeId: reply(501, '5.5.4', 'MTRK needs ENVID'),
  repeated: reply(501, '5.5.4', 'Parameter given twice'),
  unknownParameter: reply(555, '5.5.4', 'Parameter not recognized or not implemented'),
} as const satisfies Record<string, Reply>;
