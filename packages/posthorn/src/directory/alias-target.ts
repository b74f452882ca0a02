import type { Mailbox } from '@posthorn/smtp/address/mailbox';
import { parseAddress } from '@posthorn/smtp/address/parse-address';

/** One thing that an alias stands for: aliases(5). */
export type AliasTarget = AddressTarget | LocalTarget | IncludeTarget;

/** An address. */
interface AddressTarget {
  readonly mailbox: Mailbox;
  /** Written with `\` before it: the mailbox of that name, even where an alias has the name too. */
  readonly direct: boolean;
}

/** A program or a file of this host, written as the target of a route: `pipe:command`, `mbox:/file`, `maildir:/folder/`. */
interface LocalTarget {
  readonly target: string;
}

/** A file that holds further targets. */
interface IncludeTarget {
  readonly include: string;
}

const includeMark = ':include:';
const controls = /\p{Cc}/u;

/**
 * Reads `local@domain`, or `local` for one in the alias's own domain, `\` before either; `|command`, `/file`, `/folder/`
 * or `:include:/file`. Undefined when it is faulty: aliases(5).
 */
export function parseAliasTarget(text: string, domain: string): AliasTarget | undefined {
  if (controls.test(text)) return undefined;
  if (text.startsWith('|')) return parseProgram(text.slice(1).trim());
  if (text.startsWith('/')) return { target: `${text.endsWith('/') ? 'maildir' : 'mbox'}:${text}` };
  if (text.toLowerCase().startsWith(includeMark)) return parseInclude(text.slice(includeMark.length).trim());
  const direct = text.startsWith('\\');
  const given = direct ? text.slice(1) : text;
  const mailbox = parseAddress(given) ?? parseAddress(`${given}@${domain}`);
  if (mailbox === undefined) return undefined;
  return { mailbox: { ...mailbox, domain: mailbox.domain || domain }, direct };
}

function parseProgram(command: string): LocalTarget | undefined {
  return command === '' ? undefined : { target: `pipe:${command}` };
}

function parseInclude(path: string): IncludeTarget | undefined {
  return path.startsWith('/') ? { include: path } : undefined;
}
