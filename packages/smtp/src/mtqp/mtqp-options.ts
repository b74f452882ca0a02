/** What a server offers in its greeting (RFC 3887 §3). */
export interface MtqpOptions {
  /** Whether STARTTLS is served, and needed for some queries. */
  readonly startTls: 'no' | 'offered' | 'required';
  /** All options, known or not: the rest of each by its identifier in lower case. */
  readonly others: ReadonlyMap<string, string>;
}

/** Options of a greeting that are kept; a host that has more says nothing of use. */
const mostOptions = 100;

/** Reads the lines of a greeting; unknown options and parameters do not matter (RFC 3887 §3). */
export function parseMtqpOptions(lines: readonly string[]): MtqpOptions {
  const others = new Map<string, string>();
  for (const option of unfold(lines)) {
    const [, identifier = '', rest = ''] = /^(\S+)[ \t]*(.*)$/.exec(option) ?? [];
    if (identifier !== '' && others.size < mostOptions) others.set(identifier.toLowerCase(), rest.trimEnd());
  }
  const tls = others.get('starttls');
  const isRequired =
    tls
      ?.toLowerCase()
      .split(/[ \t]+/)
      .includes('required') === true;
  return { startTls: tls === undefined ? 'no' : isRequired ? 'required' : 'offered', others };
}

/** The lines of a greeting; none when nothing is offered (RFC 3887 §3). */
export function formatMtqpOptions(startTls: MtqpOptions['startTls']): string[] {
  if (startTls === 'no') return [];
  return [startTls === 'required' ? 'STARTTLS required' : 'STARTTLS'];
}

function unfold(lines: readonly string[]): string[] {
  const options: string[] = [];
  for (const line of lines) {
    if (!/^[ \t]/.test(line)) options.push(line);
    else if (options.length > 0) options[options.length - 1] += ` ${line.trimStart()}`;
  }
  return options;
}
