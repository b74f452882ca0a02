import { isDomain, parseLiteral } from '../address/domain.ts';
import { type PathRead, readForwardPath, readReversePath } from '../address/path.ts';
import type { Reply } from '../reply/reply.ts';
import type { Command, Parameter } from './command.ts';
import { fault } from './fault.ts';

/** How strictly a line is read. */
export interface CommandRules {
  /**
   * Takes what mail programs of end users send against the grammar: one blank behind the colon of FROM and TO, and
   * underscores, a closing dot or a hyphen anywhere in the name of EHLO (RFC 5321 §4.1.1).
   */
  readonly lenient?: boolean;
}

/** Reads the part of a line behind its verb: a command, or the reply that its fault earns. */
type Reader = (argument: string, verb: string, rules: CommandRules) => Command | Reply;

// Without the flag u: with it and i, letters outside of ASCII match as their ASCII relatives.
const parameterForm = /^([a-z0-9][a-z0-9-]*)(?:=([!-<>-~\u00a0-\uffff]+))?$/i;

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

// Deviates: lenient reading takes underscores and stray dots and hyphens in the name of EHLO (RFC 5321 §4.1.1.1).
const lenientName = /^[a-z0-9._-]{1,255}$/i;

const hello: Reader = (argument, verb, rules) => {
  // Some clients add words of their own behind an address literal.
  const name = /^\[[^\]]*\](?= )/.exec(argument)?.[0] ?? argument;
  const isName = isDomain(name) || parseLiteral(name) !== undefined || (rules.lenient && lenientName.test(name));
  return isName ? { verb: verb as 'EHLO', name } : fault.argument;
};

interface AddressForm<T> {
  readonly keyword: RegExp;
  readonly bad: Reply;
  readonly read: (text: string) => PathRead<T> | undefined;
}

function readAddressed<T>(
  argument: string,
  { keyword, bad, read }: AddressForm<T>,
  rules: CommandRules,
): { path: T; parameters: Parameter[] } | Reply {
  const start = keyword.exec(argument)?.[0].length;
  if (start === undefined) return fault.argument;
  // Deviates: lenient reading takes a blank behind the colon (RFC 5321 §3.3).
  const hasBlank = argument[start] === ' ';
  if (hasBlank && !rules.lenient) return fault.argument;
  const path = read(argument.slice(hasBlank ? start + 1 : start));
  if (path === undefined) return bad;
  const parameters = parseParameters(path.rest);
  return parameters === undefined ? fault.argument : { path: path.path, parameters };
}

const sender = {
  keyword: /^FROM:/i,
  bad: fault.sender,
  read: (text: string) => readReversePath(text, { utf8: true }),
};

const recipient = {
  keyword: /^TO:/i,
  bad: fault.recipient,
  read: (text: string) => readForwardPath(text, { utf8: true }),
};

const mail: Reader = (argument, verb, rules) => {
  const read = readAddressed(argument, sender, rules);
  if ('code' in read) return read;
  return { verb: verb as 'MAIL', reversePath: read.path, parameters: read.parameters };
};

const rcpt: Reader = (argument, _verb, rules) => {
  const read = readAddressed(argument, recipient, rules);
  if ('code' in read) return read;
  return { verb: 'RCPT', forwardPath: read.path, parameters: read.parameters };
};

const bare: Reader = (argument, verb) => (argument === '' ? { verb: verb as 'DATA' } : fault.noArgument);

const optional: Reader = (argument, verb) => ({ verb: verb as 'NOOP', argument });

const required: Reader = (argument, verb) => (argument === '' ? fault.argument : { verb: verb as 'VRFY', argument });

const bdat: Reader = (argument) => {
  const match = /^(\d+)(?: +(LAST))?$/i.exec(argument);
  if (match === null) return fault.argument;
  // No chunk has that many octets, but they must all be passed over: its size is as good as endless.
  const size = Math.min(Number(match[1]), Number.MAX_SAFE_INTEGER);
  return { verb: 'BDAT', size, last: match[2] !== undefined };
};

const auth: Reader = (argument) => {
  const match = /^([A-Z0-9_-]{1,20})(?: +([!-~]+))?$/i.exec(argument);
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
  BURL: optional,
  VRFY: required,
  EXPN: required,
  ETRN: required,
  BDAT: bdat,
  AUTH: auth,
});

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

/** Without the SP and TAB around it; other white space is no blank here, and a pattern would take quadratic time. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (end > 0 && isBlank(text[end - 1])) end -= 1;
  while (start < end && isBlank(text[start])) start += 1;
  return text.slice(start, end);
}

/**
 * Reads one command line without its CRLF; a faulty one gives the reply it earns (RFC 5321 §4.1.1). Letters outside of
 * ASCII pass in paths, values and strings: whether they are permitted depends on SMTPUTF8 (RFC 6531 §3.3).
 */
export function parseCommand(line: string, rules: CommandRules = {}): Command | Reply {
  const verb = /^[a-z0-9-]*/i.exec(line)?.[0] ?? '';
  const behind = line[verb.length];
  if (verb === '' || (behind !== undefined && !isBlank(behind))) return fault.syntax;
  const reader = readers[verb.toUpperCase()];
  if (reader === undefined) return fault.unknownVerb;
  return reader(trimBlanks(line.slice(verb.length)), verb.toUpperCase(), rules);
}
