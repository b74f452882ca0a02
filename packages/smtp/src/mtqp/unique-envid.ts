import { decodeXtext, encodeXtext } from '../bytes/xtext.ts';

/** Characters that an ENVID has at most on the wire (RFC 3885 §3.2). */
const longestEnvid = 100;

/** Reads a unique-envid in xtext, in angle brackets or without; undefined when it is none (RFC 3885 §3.2, RFC 3887 §4). */
export function parseUniqueEnvid(text: string): string | undefined {
  const bare = withoutBrackets(text);
  const envelopeId = bare === '' || bare.length > longestEnvid ? undefined : decodeXtext(bare);
  return envelopeId !== undefined && /^[ -~]+$/.test(envelopeId) ? envelopeId : undefined;
}

/** Writes a unique-envid in xtext (RFC 3885 §3.2). */
export function formatUniqueEnvid(envelopeId: string): string {
  return encodeXtext(envelopeId);
}

/** The host that made an ENVID: what stands behind the last `@`, if anything (RFC 3885 §3.2). */
export function hostOfEnvid(envelopeId: string): string | undefined {
  const at = envelopeId.lastIndexOf('@');
  return at < 0 || at === envelopeId.length - 1 ? undefined : envelopeId.slice(at + 1);
}

/** Some write an ENVID in the brackets that the examples of RFC 3887 have, in MAIL or in TRACK: both mean the same. */
export function withoutBrackets(envid: string): string {
  return envid.startsWith('<') && envid.endsWith('>') ? envid.slice(1, -1) : envid;
}
