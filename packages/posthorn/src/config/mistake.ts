/** One thing that is wrong with a configuration. */
export interface Mistake {
  /** Where in the configuration, such as `listeners[0].port`; empty for the whole of it. */
  readonly path: string;
  /** What is wrong, as a clause that the path is the subject of. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  /** The file it stands in, when the configuration came from one. */
  readonly file?: string;
  /** The line of the file, counted from 1; only for JSON. */
  readonly line?: number;
}

/** Writes a mistake as one line for people: place, path, what is wrong, what to do. */
export function formatMistake({ path, message, remedy, file, line }: Mistake): string {
  const place = [file, line].filter((part) => part !== undefined).join(':');
  const subject = path === '' ? 'the configuration' : path;
  return `${place === '' ? '' : `${place}: `}${subject} ${message}. ${remedy}`;
}

const plainKey = /^[A-Za-z_$][\w$]*$/;

/** Writes the way to a value as JavaScript would reach it: `domains["example.org"].mailboxes[0]`. */
export function formatPath(way: readonly PropertyKey[]): string {
  return way.reduce<string>((path, step) => {
    if (typeof step === 'number') return `${path}[${step}]`;
    const key = String(step);
    if (!plainKey.test(key)) return `${path}[${JSON.stringify(key)}]`;
    return path === '' ? key : `${path}.${key}`;
  }, '');
}
