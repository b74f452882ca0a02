/** What was done with a message, and how the notification of it came about (RFC 8098 §3.2.6). */
export interface Disposition {
  /** Whether a person decided what was done. */
  readonly action: 'manual-action' | 'automatic-action';
  /** Whether a person agreed to this notification. */
  readonly sending: 'MDN-sent-manually' | 'MDN-sent-automatically';
  /** In lower case: `displayed`, `deleted`, `dispatched`, `processed`, or a word of a later time. */
  readonly type: string;
  /** In lower case, such as `error`; often none. */
  readonly modifiers: readonly string[];
}

const atom = /^[!#$%&'*+=?^_`{|}~\w-]{1,100}$/;
/** More modifiers than that mean nothing. */
const mostModifiers = 50;

/** Writes the value of a Disposition field (RFC 8098 §3.2.6). */
export function formatDisposition({ action, sending, type, modifiers }: Disposition): string {
  return `${action}/${sending}; ${type}${modifiers.length === 0 ? '' : `/${modifiers.join(',')}`}`;
}

/** Reads the value of a Disposition field, in any case, with comments and blanks; undefined when it is none (RFC 8098 §3.2.6). */
export function parseDisposition(value: string): Disposition | undefined {
  const text = withoutComments(value).replace(/\s+/g, '').toLowerCase();
  const [mode = '', rest = '', ...others] = text.split(';');
  const [action, sending, ...more] = mode.split('/');
  const slash = rest.indexOf('/');
  const type = slash < 0 ? rest : rest.slice(0, slash);
  const modifiers = slash < 0 ? [] : rest.slice(slash + 1).split(',');
  const isMode =
    others.length === 0 &&
    more.length === 0 &&
    (sending === 'mdn-sent-manually' || sending === 'mdn-sent-automatically');
  if (!isMode || (action !== 'manual-action' && action !== 'automatic-action')) return undefined;
  if (modifiers.length > mostModifiers || ![type, ...modifiers].every((word) => atom.test(word))) return undefined;
  return {
    action,
    sending: sending === 'mdn-sent-manually' ? 'MDN-sent-manually' : 'MDN-sent-automatically',
    type,
    modifiers,
  };
}

/** Comments may stand within comments (RFC 5322 §3.2.2). */
function withoutComments(text: string): string {
  let out = '';
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '\\' && depth > 0) at += 1;
    else if (character === '(') depth += 1;
    else if (character === ')' && depth > 0) depth -= 1;
    else if (depth === 0) out += character;
  }
  return out;
}
