import { resolveSrv } from 'node:dns/promises';
import { isDomain } from '../address/domain.ts';
import { normalizeDomain } from '../address/normalize-domain.ts';
import { Failure } from '../failure/failure.ts';
import { awaitPromise } from '../net/await-event.ts';
import { orderServices, type ServiceRecord } from '../net/service-record.ts';

/** How the hosts of a domain are found. */
export interface Discovery {
  /**
   * Looks up SRV records; rejects with the codes ENOTFOUND or ENODATA where there are none, as that of `node:dns/promises`
   * does, which is the default.
   */
  readonly resolve?: (name: string) => Promise<readonly ServiceRecord[]>;
  /**
   * Whether a host outside of the domain may be believed to be its own, as its user or signed DNS says. Without a yes its
   * certificate has to be for the domain itself (RFC 6186 §6).
   */
  readonly confirm?: (host: string) => boolean | Promise<boolean>;
  /** From 0 to less than 1; default Math.random. */
  readonly chance?: () => number;
  /** Milliseconds for the look-up; default 10 seconds. */
  readonly timeout?: number;
}

/** A host that takes submissions for a domain. */
export interface SubmissionHost {
  readonly host: string;
  readonly port: number;
  readonly tls: 'implicit' | 'starttls';
  /** The name that its certificate has to be for. */
  readonly serverName: string;
}

/** `none`: there is no record; `not offered`: the domain says that it has no such service. */
type Look = readonly ServiceRecord[] | 'none' | 'not offered';

/** TLS from the first octet is asked for first (RFC 8314 §5.1). */
const services = [
  { name: '_submissions._tcp', tls: 'implicit' },
  { name: '_submission._tcp', tls: 'starttls' },
] as const;

/**
 * Finds where mail of a domain is submitted, the hosts to be tried first before the others. Rejects with Failure `invalid`
 * for what is no domain, `refused` when the domain offers no submission, `dns` or `timeout` when it does not say
 * (RFC 6186 §3.1, RFC 8314 §5.1, RFC 2782).
 */
export async function discoverSubmission(
  domain: string,
  discovery: Discovery = {},
  signal?: AbortSignal,
): Promise<SubmissionHost[]> {
  const name = normalizeDomain(domain);
  if (name === undefined || name.startsWith('['))
    throw new Failure('invalid', `not a domain: ${JSON.stringify(domain)}`);
  const looks = await Promise.allSettled(services.map((service) => look(`${service.name}.${name}`, discovery, signal)));
  const hosts: SubmissionHost[] = [];
  for (const [index, { tls }] of services.entries()) {
    const found = looks[index];
    if (found?.status !== 'fulfilled' || typeof found.value === 'string') continue;
    for (const { name: host, port } of orderServices(found.value, discovery.chance ?? Math.random)) {
      hosts.push({ host, port, tls, serverName: await certificateName(host, { domain: name, discovery }) });
    }
  }
  if (hosts.length > 0) return hosts;
  // A record that could not be looked up may exist: what is known of the other one says nothing then.
  for (const found of looks) if (found.status === 'rejected') throw found.reason;
  const isRefused = looks.some((found) => found.status === 'fulfilled' && found.value === 'not offered');
  if (isRefused) throw new Failure('refused', `${name} offers no submission`);
  throw new Failure('dns', `${name} does not say where mail is submitted`);
}

async function look(
  name: string,
  { resolve = resolveSrv, timeout = 10_000 }: Discovery,
  signal: AbortSignal | undefined,
): Promise<Look> {
  const found = Promise.resolve(resolve(name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTFOUND' || error.code === 'ENODATA') return 'none' as const;
    throw new Failure('dns', `${name} cannot be looked up`, error);
  });
  const records = await awaitPromise(found, { what: `looking up ${name}`, timeout, signal }, () => {});
  if (records === 'none') return records;
  const only = records.length === 1 ? records[0] : undefined;
  if (only?.name === '.' || only?.name === '') return 'not offered';
  const sound = records.filter(({ name: host, port }) => isDomain(host.replace(/\.$/, '')) && port > 0);
  return sound.length === 0
    ? 'none'
    : sound.map((record) => ({ ...record, name: record.name.replace(/\.$/, '').toLowerCase() }));
}

/** DNS that is not signed may name any host: only what lies within the domain is as good as its name (RFC 6186 §6). */
async function certificateName(
  host: string,
  { domain, discovery }: { readonly domain: string; readonly discovery: Discovery },
): Promise<string> {
  if (host === domain || host.endsWith(`.${domain}`)) return host;
  return (await discovery.confirm?.(host)) === true ? host : domain;
}
