/** What a host looks for in the header of a message that comes in. */
export interface HeaderSurvey {
  /** How often the message was accepted before: its Received fields, well-formed or not (RFC 5321 §6.3). */
  readonly received: number;
  /** Whether it has Solicitation, TLS-Required or Require-Recipient-Valid-Since fields (RFC 3865 §2.5, RFC 8689 §3, RFC 7293 §3.2). */
  readonly wishes: boolean;
}

const received = /^received[ \t]*:/i;
const wishes = /^(?:solicitation|tls-required|require-recipient-valid-since)[ \t]*:/i;

/** Goes once over the header of a message, from line to line; most of them are passed over by their first two letters. */
export function surveyHeader(message: Buffer): HeaderSurvey {
  let count = 0;
  let wished = false;
  for (let at = 0; at >= 0 && at < message.length; at = message.indexOf(0x0a, at) + 1 || -1) {
    const first = (message[at] as number) | 0x20;
    const second = (message[at + 1] ?? 0) | 0x20;
    if (first === 0x72 && second === 0x65) {
      const line = message.toString('latin1', at, at + 80);
      if (received.test(line)) count += 1;
      else wished ||= wishes.test(line);
    } else if ((first === 0x73 && second === 0x6f) || (first === 0x74 && second === 0x6c)) {
      wished ||= wishes.test(message.toString('latin1', at, at + 80));
    } else if (message[at] === 0x0a || (message[at] === 0x0d && message[at + 1] === 0x0a)) break;
  }
  return { received: count, wishes: wished };
}
