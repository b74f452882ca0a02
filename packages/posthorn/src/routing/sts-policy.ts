import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';

/** A policy of a domain about TLS with its hosts (RFC 8461 §3.2). */
export interface StsPolicy {
  readonly mode: 'enforce' | 'testing' | 'none';
  /** Names of hosts in lower case; `*.example.org` stands for one label. */
  readonly mx: readonly string[];
  /** Seconds. */
  readonly maxAge: number;
}

const longestAge = 31_557_600;
const mostPatterns = 1000;

/** The id in the records of `_mta-sts.<domain>`; undefined when they do not offer exactly one policy (RFC 8461 §3.1). */
export function stsPolicyId(records: readonly string[]): string | undefined {
  const [offer, ...others] = records.filter((record) => record.startsWith('v=STSv1;'));
  if (offer === undefined || others.length > 0) return undefined;
  const fields = offer.split(';').map((field) => field.trim());
  // A semicolon may stand at the end.
  if (fields.at(-1) === '') fields.pop();
  if (!fields.every((field) => /^[a-z\d][\w.-]{0,31}=[!-:<>-~]+$/i.test(field))) return undefined;
  const ids = fields.filter((field) => field.startsWith('id=')).map((field) => field.slice(3));
  return ids.length === 1 && /^[a-z\d]{1,32}$/i.test(ids[0] ?? '') ? ids[0] : undefined;
}

/** Reads a policy; undefined when it is none. Keys that are not known are skipped, of doubled ones the first counts (RFC 8461 §3.2). */
export function parseStsPolicy(text: string): StsPolicy | undefined {
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) {
      if (line.trim() !== '') return undefined;
      continue;
    }
    const key = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    if (key === 'mx') mx.push(value.toLowerCase());
    else if (!fields.has(key)) fields.set(key, value);
  }
  const mode = fields.get('mode');
  const age = fields.get('max_age') ?? '';
  if (fields.get('version') !== 'STSv1' || !/^\d{1,10}$/.test(age)) return undefined;
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return undefined;
  if ((mx.length === 0 && mode !== 'none') || mx.length > mostPatterns || !mx.every(isPattern)) return undefined;
  return { mode, mx, maxAge: Math.min(Number(age), longestAge) };
}

/** Writes a policy (RFC 8461 §3.2). */
export function formatStsPolicy({ mode, mx, maxAge }: StsPolicy): string {
  const lines = ['version: STSv1', `mode: ${mode}`, ...mx.map((pattern) => `mx: ${pattern}`), `max_age: ${maxAge}`];
  return lines.map((line) => `${line}\r\n`).join('');
}

/** Whether a policy names a host; `*` is exactly one label (RFC 8461 §4.1). */
export function namesHost({ mx }: Pick<StsPolicy, 'mx'>, host: string): boolean {
  const name = host.toLowerCase();
  const dot = name.indexOf('.');
  return mx.some(
    (pattern) => pattern === name || (pattern.startsWith('*.') && dot > 0 && pattern.slice(1) === name.slice(dot)),
  );
}

function isPattern(text: string): boolean {
  const name = text.startsWith('*.') ? text.slice(2) : text;
  return normalizeDomain(name) === name && !name.startsWith('[');
}
