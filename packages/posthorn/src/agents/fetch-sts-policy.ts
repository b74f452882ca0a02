import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import type { LookupFunction } from 'node:net';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { TlsMaterial } from '@posthorn/smtp/net/secure';
import { errorCode } from '@posthorn/smtp/net/socket-failure';
import type { Resolver } from '../dns/resolver.ts';
import { parseStsPolicy, type StsPolicy } from '../routing/sts-policy.ts';
import { lookUpAddresses } from './look-up-addresses.ts';

/** Why there is no policy, as reports call it (RFC 8460 §4.3.2.2). */
type StsFetchFault = 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid';

/** A policy, or why there is none. */
export type FetchedPolicy =
  | { readonly kind: 'policy'; readonly policy: StsPolicy }
  | { readonly kind: 'failed'; readonly fault: StsFetchFault; readonly text: string };

/** What policies are fetched with. */
export interface StsFetchParts {
  readonly resolver: Resolver;
  readonly families: readonly (4 | 6)[];
  readonly tlsMaterial?: TlsMaterial;
}

/** Milliseconds, and octets, that a policy may take (RFC 8461 §3.3, RFC 8461 §10.2). */
const longestFetch = 60_000;
const largestPolicy = 65_536;

class FetchFailure extends Failure {
  readonly fault: StsFetchFault;

  constructor(fault: StsFetchFault, text: string, cause?: unknown) {
    super('protocol', text, cause);
    this.fault = fault;
  }
}

/** Fetches the policy of a domain from its policy host; a redirection is none (RFC 8461 §3.3). */
export async function fetchStsPolicy(domain: string, parts: StsFetchParts): Promise<FetchedPolicy> {
  try {
    const text = await fetchText(`mta-sts.${domain}`, parts);
    const policy = parseStsPolicy(text);
    if (policy === undefined) throw new FetchFailure('sts-policy-invalid', 'The policy is malformed');
    return { kind: 'policy', policy };
  } catch (error) {
    if (error instanceof FetchFailure) return { kind: 'failed', fault: error.fault, text: error.message };
    const text = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', fault: isAboutCertificate(error) ? 'sts-webpki-invalid' : 'sts-policy-fetch-error', text };
  }
}

function fetchText(host: string, parts: StsFetchParts): Promise<string> {
  const signal = AbortSignal.timeout(longestFetch);
  const { ca } = parts.tlsMaterial ?? {};
  const options: RequestOptions = {
    host,
    port: 443,
    path: '/.well-known/mta-sts.txt',
    servername: host,
    agent: false,
    minVersion: 'TLSv1.2',
    lookup: lookupOver(parts, signal),
    signal,
    checkServerIdentity: (_, { raw }) => identityError(host, raw),
    ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    const asking = request(options, (response) => readText(response).then(resolve, reject));
    asking.on('error', reject);
    asking.end();
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const fail = (fault: StsFetchFault, text: string) => {
    response.destroy();
    throw new FetchFailure(fault, text);
  };
  const { statusCode, headers } = response;
  if (statusCode !== 200) fail('sts-policy-fetch-error', `The policy host answers ${statusCode}`);
  if (!/^text\/plain(?:[ \t]*;|[ \t]*$)/i.test(headers['content-type'] ?? '')) {
    fail('sts-policy-invalid', 'The policy is not text/plain');
  }
  const pieces: Buffer[] = [];
  let octets = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    octets += piece.length;
    if (octets > largestPolicy) fail('sts-policy-invalid', 'The policy is too large');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** Only alternative names count (RFC 8461 §3.3). */
function identityError(host: string, raw: Buffer): Error | undefined {
  const isFor = new X509Certificate(raw).checkHost(host, { subject: 'never', partialWildcards: false });
  if (isFor !== undefined) return undefined;
  return new FetchFailure('sts-webpki-invalid', `The certificate is not for ${host}`);
}

/** What OpenSSL and Node say about certificates. */
function isAboutCertificate(error: unknown): boolean {
  const code = errorCode(error);
  return /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|ERR_TLS_CERT)/.test(code);
}

/** A look-up for connections of Node. Addresses come from the resolver of the agent, not from that of the system. */
export function lookupOver({ resolver, families }: StsFetchParts, signal: AbortSignal): LookupFunction {
  return (host, { all }, done) => {
    lookUpAddresses(host, { resolver, families, most: 4, signal }).then(
      ({ addresses }) => {
        const [first] = addresses;
        if (first === undefined) done(new Failure('dns', `${host} has no address`), '', 0);
        else if (all) done(null, [...addresses]);
        else done(null, first.address, first.family);
      },
      (error: Error) => done(error, '', 0),
    );
  };
}
