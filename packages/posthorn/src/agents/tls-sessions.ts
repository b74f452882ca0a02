import { TLSSocket } from 'node:tls';
import type { ClientConnection } from '@posthorn/smtp/client/connection';
import { ConnectionFailure } from '@posthorn/smtp/client/send-result';
import { CertificateFailure, type CertificateFault, identifyByName } from '@posthorn/smtp/net/identify';
import { shownBy } from '@posthorn/smtp/net/secure';
import { errorCode } from '@posthorn/smtp/net/socket-failure';
import { formatTlsa } from '@posthorn/smtp/net/tlsa';
import type { TlsFailureDetail, TlsReportPolicy } from '@posthorn/smtp/report/tls-report';
import { formatStsPolicy } from '../routing/sts-policy.ts';
import type { TlsPlan } from './tls-planner.ts';

/** A session, or why there was none for want of TLS, under the policy that held (RFC 8460 §4). */
export interface TlsSession {
  readonly policy: Pick<TlsReportPolicy, 'type' | 'lines' | 'domain' | 'mx'>;
  /** Absent: it was as the policy wants it. */
  readonly failure?: Omit<TlsFailureDetail, 'count'>;
}

/** Who keeps count of sessions. */
export interface TlsReporting {
  /** Whether a domain wants reports; rejects with Failure `aborted` alone. */
  wants(domain: string, signal: AbortSignal): Promise<boolean>;
  record(session: TlsSession): void;
}

/** Sees what becomes of the sessions with one host. */
export interface SessionObserver {
  opened(connection: ClientConnection): void;
  failed(error: unknown): void;
  /** The plan let none be opened. */
  barred(): void;
}

/** The host whose sessions are seen. */
export interface ObservedHost {
  readonly domain: string;
  readonly host: string;
  readonly address: string;
  readonly plan: TlsPlan;
}

type Failed = Pick<TlsFailureDetail, 'result' | 'reason'>;

/** Sees sessions for a reporter. */
export function observeSessions(
  { domain, host, address, plan }: ObservedHost,
  reporting: TlsReporting,
): SessionObserver {
  const policy = { ...policyOf(plan), domain };
  const record = (failed: Failed | undefined, sendingIp?: string) => {
    const about = { host, receivingIp: address, ...(sendingIp === undefined ? {} : { sendingIp }) };
    reporting.record({ policy, ...(failed === undefined ? {} : { failure: { ...failed, ...about } }) });
  };
  return {
    opened(connection) {
      const { localAddress } = connection.socket as { localAddress?: string };
      record(shortfall(connection, host, plan), localAddress);
    },
    failed(error) {
      const failed = failureOf(error);
      if (failed !== undefined) record(failed);
    },
    barred: () => record(whyBarred(plan)),
  };
}

function policyOf({ found: { tlsa, sts } }: TlsPlan): Omit<TlsSession['policy'], 'domain'> {
  if (tlsa?.dane === 'usable' || tlsa?.dane === 'unusable') {
    return { type: 'tlsa', lines: tlsa.records.map(formatTlsa) };
  }
  if (sts?.policy === undefined || sts.policy.mode === 'none') return { type: 'no-policy-found', lines: [] };
  return { type: 'sts', lines: formatStsPolicy(sts.policy).trimEnd().split('\r\n'), mx: sts.policy.mx };
}

/** What a session that mail may go over lacks all the same. */
function shortfall({ privacy, socket }: ClientConnection, host: string, plan: TlsPlan): Failed | undefined {
  const { tlsa, sts } = plan.found;
  if (privacy === 'clear') return { result: 'starttls-not-supported' };
  if (tlsa?.dane === 'unusable') return { result: 'tlsa-invalid' };
  if (tlsa?.dane === 'usable') return undefined;
  if (sts?.policy?.mode === 'testing') {
    if (!plan.found.named) return foreignHost;
    const fault = socket instanceof TLSSocket ? identifyByName([host])(shownBy(socket)) : undefined;
    return fault === undefined ? undefined : byFault(fault.kind, fault.text);
  }
  if (sts?.failed === undefined || sts.policy !== undefined) return undefined;
  return { result: sts.failed.fault, reason: sts.failed.text };
}

const foreignHost: Failed = { result: 'validation-failure', reason: 'the policy does not name the host' };

/** Hosts that cannot be reached are no matter of TLS (RFC 8460 §4.3.4). */
function failureOf(error: unknown): Failed | undefined {
  if (!(error instanceof ConnectionFailure) || error.phase !== 'tls' || error.kind !== 'tls') return undefined;
  const { cause } = error;
  if (cause instanceof CertificateFailure) return byFault(cause.fault, cause.message);
  if (cause === undefined) return { result: 'starttls-not-supported' };
  const root = cause instanceof Error ? (cause.cause ?? cause) : cause;
  return { result: 'validation-failure', reason: errorCode(root) || error.message };
}

const results: Readonly<Record<CertificateFault['kind'], string>> = {
  name: 'certificate-host-mismatch',
  expired: 'certificate-expired',
  untrusted: 'certificate-not-trusted',
  tlsa: 'validation-failure',
};

function byFault(kind: CertificateFault['kind'], reason: string): Failed {
  return { result: results[kind], reason };
}

function whyBarred({ found: { tlsa, sts } }: TlsPlan): Failed {
  if (tlsa?.dane === 'failed') return { result: 'dnssec-invalid' };
  return sts?.policy === undefined && tlsa !== undefined ? { result: 'dane-required' } : foreignHost;
}
