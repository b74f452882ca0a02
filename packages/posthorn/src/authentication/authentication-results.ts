import { type HeaderField, headerFields } from '@posthorn/smtp/message/header';

/** What one method found (RFC 8601 §2.2). */
export interface MethodResult {
  readonly method: 'spf' | 'dkim' | 'dmarc' | 'arc';
  readonly result: string;
  readonly reason?: string | undefined;
  /** What was looked at, such as `smtp.mailfrom` and an address. */
  readonly properties: readonly (readonly [string, string])[];
}

const token = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/;
const address = /^[!#$%&'*+\-./0-9=?A-Z^_`a-z{|}~]*@[0-9A-Za-z.-]+$/;

/** What was found, as it stands in the field behind its name, without folding: this host first (RFC 8601 §2.2). */
export function formatResults(hostname: string, results: readonly MethodResult[]): string {
  return [hostname, ...(results.length === 0 ? ['none'] : results.map(formatResult))].join('; ');
}

/** The field with what was found, each method on a line of its own (RFC 8601 §2.2). */
export function formatResultsField(hostname: string, results: readonly MethodResult[]): string {
  const parts = results.length === 0 ? ['none'] : results.map(formatResult);
  return `Authentication-Results: ${hostname};\r\n\t${parts.join(';\r\n\t')}\r\n`;
}

function formatResult({ method, result, reason, properties }: MethodResult): string {
  const said = reason === undefined ? '' : ` reason=${quoted(reason)}`;
  return `${method}=${result}${said}${properties.map(([name, value]) => ` ${name}=${written(value)}`).join('')}`;
}

/** Much of it is a stranger's text: it must end neither its field nor its place there. */
function written(value: string): string {
  return token.test(value) || address.test(value) ? value : quoted(value);
}

function quoted(text: string): string {
  return `"${text
    .replace(/[^ -~\u{a0}-\u{10ffff}]/gu, '?')
    .replace(/["\\]/g, '\\$&')
    .slice(0, 500)}"`;
}

/** Whether a field says that a host of this name has written it; one whose name cannot be read is taken for it (RFC 8601 §5). */
function claimsToBeFrom({ name, value }: HeaderField, hostname: string): boolean {
  if (name !== 'authentication-results') return false;
  const id = authorityOf(value);
  return id === undefined || id.toLowerCase() === hostname.toLowerCase();
}

/** The header without what only this host may say: its results, and the marks by `names`, in lower case (RFC 8601 §5). */
export function withoutForged(header: Buffer, hostname: string, ...names: readonly string[]): Buffer {
  // Most headers have nothing of the kind, and stay what they are.
  const fields = [...headerFields(header)];
  const kept = fields.filter((field) => !claimsToBeFrom(field, hostname) && !names.includes(field.name));
  return kept.length === fields.length ? header : Buffer.concat(kept.map(({ raw }) => raw));
}

/** The name in front of the results, comments and quotes left out; undefined where there is none (RFC 8601 §2.2). */
function authorityOf(value: string): string | undefined {
  let depth = 0;
  let text = '';
  let isQuoted = false;
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at] as string;
    if (character === '\\') {
      at += 1;
      if (depth === 0) text += value[at] ?? '';
    } else if (isQuoted) {
      if (character === '"') isQuoted = false;
      else text += character;
    } else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (depth > 0) continue;
    else if (character === '"') isQuoted = true;
    else if (character === ';') break;
    else if (character === ' ' || character === '\t') {
      // A version may follow the name.
      if (text !== '') break;
    } else text += character;
  }
  return text === '' || depth !== 0 || isQuoted ? undefined : text;
}

/** The value of the field of this host on top of a header, as `formatResults` has it; undefined where there is none. */
export function ownResults(fields: readonly HeaderField[], hostname: string): string | undefined {
  return fields.find((field) => claimsToBeFrom(field, hostname))?.value.replace(/[ \t]+/g, ' ');
}
