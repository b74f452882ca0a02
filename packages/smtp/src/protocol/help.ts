import type { Verb } from '../command/command.ts';
import { type Reply, reply } from '../reply/reply.ts';
import type { Dialogue } from './dialogue.ts';
import { isServed } from './server-order.ts';
import { serverReply } from './server-reply.ts';

/** How each verb is written (RFC 5321 §4.1.1). */
const forms: Readonly<Partial<Record<Verb, string>>> = {
  EHLO: 'EHLO <domain or address literal>',
  HELO: 'HELO <domain>',
  LHLO: 'LHLO <domain or address literal>',
  STARTTLS: 'STARTTLS',
  AUTH: 'AUTH <mechanism> [<initial response>]',
  MAIL: 'MAIL FROM:<sender> [<parameters>]',
  SEND: 'SEND FROM:<sender> [<parameters>]',
  SOML: 'SOML FROM:<sender> [<parameters>]',
  SAML: 'SAML FROM:<sender> [<parameters>]',
  RCPT: 'RCPT TO:<recipient> [<parameters>]',
  DATA: 'DATA',
  BDAT: 'BDAT <octets> [LAST]',
  RSET: 'RSET',
  NOOP: 'NOOP [<string>]',
  VRFY: 'VRFY <user or address>',
  EXPN: 'EXPN <list>',
  HELP: 'HELP [<verb>]',
  ETRN: 'ETRN <domain, @domain or #queue>',
  ATRN: 'ATRN [<domain>[,<domain>...]]',
  TURN: 'TURN',
  QUIT: 'QUIT',
};

/** Answers HELP: the verbs on offer, or the form of one (RFC 5321 §4.1.1.8). */
export function composeHelp(dialogue: Dialogue, topic: string): Reply {
  if (topic !== '') {
    const verb = topic.toUpperCase() as Verb;
    const form = Object.hasOwn(forms, verb) && isServed(dialogue, verb) ? forms[verb] : undefined;
    return form === undefined ? serverReply.unknownTopic : reply(214, '2.0.0', form);
  }
  const verbs = (Object.keys(forms) as Verb[]).filter((verb) => isServed(dialogue, verb));
  return reply(214, '2.0.0', `Commands: ${verbs.join(' ')}`, 'HELP <verb> tells how one is written');
}
