import type { FetchRequest, FetchResult } from '../mta/fetch-mail.ts';

/** How far one fetching of mail is. */
export interface FetchState {
  /** Messages, and octets of their text, that were taken so far. */
  readonly messages: number;
  readonly octets: number;
  /** Present when it is over. */
  readonly result?: FetchResult;
}

/** Fetching of mail by an agent, as another process of the same user asks for it. */
export interface FetchControl {
  /** Begins, and gives a name for it. */
  start(request: FetchRequest): Promise<string>;
  /** Undefined when there is none of that name, or it is long over. */
  state(id: string): Promise<FetchState | undefined>;
}

const ways: readonly string[] = ['atrn', 'turn', 'etrn'] satisfies FetchRequest['by'][];
const tlsModes: readonly string[] = ['implicit', 'starttls', 'opportunistic', 'none'] satisfies FetchRequest['tls'][];

/** Reads a request from JSON; a text says what is wrong with it. */
export function readFetchRequest(value: unknown): FetchRequest | string {
  if (typeof value !== 'object' || value === null) return 'a request is an object';
  const { by, host, port, tls, user, password, domains } = value as Record<string, unknown>;
  if (typeof by !== 'string' || !ways.includes(by)) return 'by is atrn, turn or etrn';
  if (typeof host !== 'string' || host === '') return 'host is a text';
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) return 'port is a number';
  if (typeof tls !== 'string' || !tlsModes.includes(tls)) return `tls is one of ${tlsModes.join(', ')}`;
  if (!isTextOrAbsent(user) || !isTextOrAbsent(password)) return 'user and password are texts';
  if (!Array.isArray(domains) || !domains.every((domain) => typeof domain === 'string'))
    return 'domains is a list of texts';
  return {
    by: by as FetchRequest['by'],
    host,
    port,
    tls: tls as FetchRequest['tls'],
    domains,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
