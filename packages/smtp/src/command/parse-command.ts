import { isDomain, parseLiteral } from '../address/domain.ts';
import { type PathRead, readForwardPath, readReversePath } from '../address/path.ts';
import type { Reply } from '../reply/reply.ts';
import type { Command, Parameter } from './command.ts';
import { fault } from './fault.ts';

/** Reads the part of a line behind its verb: a command, or the reply that its fault earns. */
type Reader = (argument: string, verb: string) => Command | Reply;

const parameterForm = /^([a-z0-9][a-z0-9-]*)(?:=([!-<>-~\u0080-\u{10ffff}]+))?$/iu;

/** Reads `key=value key …`; undefined when one is malformed (RFC 5321 §4.1.2). */
function parseParameters(text: string): Parameter[] | undefined {
  if (text === '') return [];
  if (!text.startsWith(' ')) return undefined;
  const parameters: Parameter[] = [];
  for (const word of text.split(' ')) {
    if (word === '') continue;
    const match = parameterForm.exec(word);
    if (match === null) return undefined;
    const keyword = (match[1] as string).toUpperCase();
    parameters.push(match[2] === undefined ? { keyword } : { keyword, value: match[2] });
  }
  return parameters;
}

const hello: Reader = (argument, verb) => {
  const literalEnd = argument.startsWith('[') ? argument.indexOf(']') + 1 : 0;
  const name = literalEnd > 0 ? argument.slice(0, literalEnd) : argument;
  if (!isDomain(name) && parseLiteral(name) === undefined) return fault.argument;
  return { verb: verb as 'EHLO', name };
};

function addressed<T>(
  argument: string,
  form: { keyword: string; bad: Reply; read: (text: string) => PathRead<T> | undefined },
): { path: T; parameters: Parameter[] } | Reply {
  if (argument.slice(0, form.keyword.length).toUpperCase() !== form.keyword) return fault.argument;
  const path = form.read(argument.slice(form.keyword.length));
  if (path === undefined) return form.bad;
  const parameters = parseParameters(path.rest);
  return parameters === undefined ? fault.argument : { path: path.path, parameters };
}

const mail: Reader = (argument, verb) => {
  const read = addressed(argument, { keyword: 'FROM:', bad: fault.sender, read: readSender });
  if ('code' in read) return read;
  return { verb: verb as 'MAIL', reversePath: read.path, parameters: read.parameters };
};

const rcpt: Reader = (argument) => {
  const read = addressed(argument, { keyword: 'TO:', bad: fault.recipient, read: readRecipient });
  if ('code' in read) return read;
  return { verb: 'RCPT', forwardPath: read.path, parameters: read.parameters };
};

const readSender = (text: string) => readReversePath(text, { utf8: true });
const readRecipient = (text: string) => readForwardPath(text, { utf8: true });

const bare: Reader = (argument, verb) => (argument === '' ? { verb: verb as 'DATA' } : fault.noArgument);

const optional: Reader = (argument, verb) => ({ verb: verb as 'NOOP', argument });

const required: Reader = (argument, verb) => (argument === '' ? fault.argument : { verb: verb as 'VRFY', argument });

const bdat: Reader = (argument) => {
  const match = /^(\d{1,15})(?: +(LAST))?$/i.exec(argument);
  return match === null ? fault.argument : { verb: 'BDAT', size: Number(match[1]), last: match[2] !== undefined };
};

const auth: Reader = (argument) => {
  const match = /^([A-Z0-9_-]{1,20})(?: +(\S+))?$/i.exec(argument);
  if (match === null) return fault.argument;
  const mechanism = (match[1] as string).toUpperCase();
  return match[2] === undefined ? { verb: 'AUTH', mechanism } : { verb: 'AUTH', mechanism, initial: match[2] };
};

const readers: Readonly<Record<string, Reader>> = Object.assign(Object.create(null), {
  HELO: hello,
  EHLO: hello,
  LHLO: hello,
  MAIL: mail,
  SEND: mail,
  SOML: mail,
  SAML: mail,
  RCPT: rcpt,
  DATA: bare,
  RSET: bare,
  QUIT: bare,
  STARTTLS: bare,
  TURN: bare,
  NOOP: optional,
  HELP: optional,
  ATRN: optional,
  VRFY: required,
  EXPN: required,
  ETRN: required,
  BDAT: bdat,
  AUTH: auth,
});

/**
 * Reads one command line without its CRLF; a faulty one gives the reply it earns (RFC 5321 §4.1.1). Letters outside of
 * ASCII pass in paths and values: whether they are permitted depends on SMTPUTF8 (RFC 6531 §3.3).
 */
export function parseCommand(line: string): Command | Reply {
  const text = line.trimEnd();
  const space = text.search(/[ \t]/);
  const verb = (space === -1 ? text : text.slice(0, space)).toUpperCase();
  const reader = readers[verb];
  if (reader === undefined) return /^[A-Z0-9-]+$/.test(verb) ? fault.unknownVerb : fault.syntax;
  return reader(space === -1 ? '' : text.slice(space).trimStart(), verb);
}
