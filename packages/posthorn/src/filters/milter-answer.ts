import { type Reply, reply, type Status } from '@posthorn/smtp/reply/reply';

const refused = reply(550, '5.7.1', 'Refused by a filter');
const later = reply(451, '4.7.1', 'Not now, says a filter');
const closing = reply(421, '4.7.0', 'Closing, says a filter');

/** The reply to a client that a filter answers for; at the beginning of a session only 421 and 554 are known (RFC 5321 §4.3.2). */
export function replyOf(kind: 'reject' | 'tempfail' | 'shutdown', isGreeting: boolean): Reply {
  if (kind === 'shutdown') return closing;
  return forGreeting(kind === 'reject' ? refused : later, isGreeting);
}

/** Reads a reply that a filter wrote; undefined when it is none that refuses. */
export function parseReplyText(text: string, isGreeting: boolean): Reply | undefined {
  const lines = text.split('\r\n').filter((line) => line !== '');
  const code = Number(/^[45]\d\d(?=[ -]|$)/.exec(text)?.[0]);
  if (lines.length === 0 || lines.length > 32 || !(code <= 559)) return undefined;
  const said: string[] = [];
  let status: Status | undefined;
  for (const line of lines) {
    const form = /^(\d{3})(?:[ -](?:([45]\.\d{1,3}\.\d{1,3})(?: |$))?(.*))?$/.exec(line);
    if (form === null || Number(form[1]) !== code || (form[2] !== undefined && form[2][0] !== text[0]))
      return undefined;
    status ??= form[2] as Status | undefined;
    // Percent signs come doubled; replies are of printable ASCII.
    said.push(
      (form[3] ?? '')
        .replaceAll('%%', '%')
        .replace(/[^ -~]/g, '?')
        .slice(0, 400),
    );
  }
  return forGreeting(reply(code, status, ...said), isGreeting);
}

function forGreeting(given: Reply, isGreeting: boolean): Reply {
  if (!isGreeting) return given;
  return { ...given, code: given.code < 500 ? 421 : 554 };
}
