/** What the words of a sendmail command ask for. */
export interface SendmailOptions {
  /** `mail`: hand a message in; `smtp`: talk; `queue`: list; `run`: try what waits; `aliases`: read them anew. */
  readonly mode: 'mail' | 'smtp' | 'queue' | 'run' | 'aliases';
  readonly recipients: readonly string[];
  /** Whether the header names more of them. */
  readonly fromHeader: boolean;
  /** Whether a line of a lone dot is a line like any other. */
  readonly dotIsText: boolean;
  /** The envelope sender; empty: the null path. */
  readonly sender?: string;
  readonly fullName?: string;
  /** NOTIFY, in capitals (RFC 3461 §4.1). */
  readonly notify?: readonly string[];
  /** RET (RFC 3461 §4.3). */
  readonly ret?: 'FULL' | 'HDRS';
  /** ENVID, as it is meant (RFC 3461 §4.4). */
  readonly envelopeId?: string;
  /** The configuration of the server. */
  readonly config?: string;
}

/** Letters whose value is the rest of the word, or the next one. */
const withValue = 'BCDFLNORVXfhoprN';
const modes: Readonly<Record<string, SendmailOptions['mode']>> = { m: 'mail', s: 'smtp', p: 'queue', i: 'aliases' };

/**
 * Reads the words of `sendmail`: `-t -i -f -F -bs -bp -bm -bi -q -N -R -V -C` are obeyed, others of the sort that programs
 * give out of habit are passed over. A text instead says what is wrong.
 */
export function parseSendmail(words: readonly string[]): SendmailOptions | string {
  const options: { -readonly [Key in keyof SendmailOptions]: SendmailOptions[Key] } = {
    mode: 'mail',
    recipients: [],
    fromHeader: false,
    dotIsText: false,
  };
  const left = [...words];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === '--') break;
    if (!word.startsWith('-') || word === '-') {
      left.unshift(word);
      break;
    }
    const fault = readWord(word.slice(1), left, options);
    if (fault !== undefined) return fault;
  }
  return { ...options, recipients: left };
}

type Options = { -readonly [Key in keyof SendmailOptions]: SendmailOptions[Key] };

/** Reads one word: flags that stand together, the last of them maybe with a value. */
function readWord(word: string, left: string[], options: Options): string | undefined {
  // -q has its value in the same word or none; -b always one letter.
  if (word.startsWith('q')) {
    options.mode = 'run';
    return undefined;
  }
  if (word.startsWith('b')) {
    const mode = modes[word.slice(1)];
    if (mode === undefined) return `-${word} is not known here; \`posthorn serve\` runs the server`;
    options.mode = mode;
    return undefined;
  }
  const [letter = ''] = word;
  if (!withValue.includes(letter)) {
    for (const flag of word) readFlag(flag, options);
    return undefined;
  }
  const value = word.length > 1 ? word.slice(1) : left.shift();
  return value === undefined ? `-${letter} needs a value` : readValue(letter, value, options);
}

function readFlag(flag: string, options: Options): void {
  if (flag === 't') options.fromHeader = true;
  else if (flag === 'i') options.dotIsText = true;
}

function readValue(letter: string, value: string, options: Options): string | undefined {
  switch (letter) {
    case 'f':
    case 'r':
      options.sender = value === '<>' ? '' : value.replace(/^<(.*)>$/, '$1');
      return undefined;
    case 'F':
      options.fullName = value;
      return undefined;
    case 'C':
      options.config = value;
      return undefined;
    case 'o':
      if (value === 'i') options.dotIsText = true;
      return undefined;
    case 'N':
      return readNotify(value, options);
    case 'R':
      return readReturn(value, options);
    case 'V':
      options.envelopeId = value;
      return undefined;
    default:
      return undefined;
  }
}

function readNotify(value: string, options: Options): string | undefined {
  const words = value.toUpperCase().split(',');
  const isNever = words.length === 1 && words[0] === 'NEVER';
  if (!isNever && !words.every((word) => ['SUCCESS', 'FAILURE', 'DELAY'].includes(word))) {
    return '-N must be never, or some of success, failure and delay with commas between';
  }
  options.notify = isNever ? [] : [...new Set(words)];
  return undefined;
}

function readReturn(value: string, options: Options): string | undefined {
  const ret = value.toUpperCase();
  if (ret !== 'FULL' && ret !== 'HDRS') return '-R must be full or hdrs';
  options.ret = ret;
  return undefined;
}
