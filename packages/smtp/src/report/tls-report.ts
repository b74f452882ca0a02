/** A session that failed, and how often (RFC 8460 §4.4). */
export interface TlsFailureDetail {
  /** As `starttls-not-supported`; those of the registry (RFC 8460 §4.3). */
  readonly result: string;
  readonly count: number;
  readonly sendingIp?: string;
  /** The name of the host. */
  readonly host?: string;
  readonly receivingIp?: string;
  /** An error code or a text. */
  readonly reason?: string;
}

/** What became of the sessions under one policy (RFC 8460 §4.4). */
export interface TlsReportPolicy {
  readonly type: 'tlsa' | 'sts' | 'no-policy-found';
  /** TLSA records, or the lines of the policy. */
  readonly lines: readonly string[];
  readonly domain: string;
  /** Of a policy of MTA-STS: the hosts that it names. */
  readonly mx?: readonly string[];
  readonly successes: number;
  readonly failures: number;
  readonly details: readonly TlsFailureDetail[];
}

/** A report on TLS (RFC 8460 §4.4). */
export interface TlsReport {
  readonly organization: string;
  /** A mail address. */
  readonly contact: string;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly begin: number;
  readonly end: number;
  readonly policies: readonly TlsReportPolicy[];
}

/** Writes a report as JSON (RFC 8460 §4.4, RFC 7493 §2). */
export function formatTlsReport({ organization, contact, id, begin, end, policies }: TlsReport): Buffer {
  const time = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
  const report = {
    'organization-name': organization,
    'date-range': { 'start-datetime': time(begin), 'end-datetime': time(end) },
    'contact-info': contact,
    'report-id': id,
    policies: policies.map(({ type, lines, domain, mx, successes, failures, details }) => ({
      policy: {
        'policy-type': type,
        'policy-string': lines,
        'policy-domain': domain,
        // Undefined entries are left out.
        'mx-host': mx,
      },
      summary: { 'total-successful-session-count': successes, 'total-failure-session-count': failures },
      'failure-details': details.map((detail) => ({
        'result-type': detail.result,
        'sending-mta-ip': detail.sendingIp,
        'receiving-mx-hostname': detail.host,
        'receiving-ip': detail.receivingIp,
        'failed-session-count': detail.count,
        'failure-reason-code': detail.reason,
      })),
    })),
  };
  return Buffer.from(JSON.stringify(report));
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads a report; undefined when it is none. What is not known is skipped (RFC 8460 §4.4). */
export function parseTlsReport(bytes: Buffer): TlsReport | undefined {
  const report = fieldsOf(parseJson(bytes.toString('utf8')));
  const range = fieldsOf(report['date-range']);
  const [begin, end] = [range['start-datetime'], range['end-datetime']].map((time) => Date.parse(text(time) ?? ''));
  const id = text(report['report-id']);
  const { policies } = report;
  if (id === undefined || !Array.isArray(policies) || !Number.isFinite(begin) || !Number.isFinite(end))
    return undefined;
  const read = policies.map(readPolicy);
  if (read.includes(undefined)) return undefined;
  return {
    organization: text(report['organization-name']) ?? '',
    contact: text(report['contact-info']) ?? '',
    id,
    begin: begin as number,
    end: end as number,
    policies: read as TlsReportPolicy[],
  };
}

function readPolicy(value: unknown): TlsReportPolicy | undefined {
  const fields = fieldsOf(value);
  const policy = fieldsOf(fields.policy);
  const summary = fieldsOf(fields.summary);
  const type = policy['policy-type'];
  const domain = text(policy['policy-domain']);
  const details = fields['failure-details'];
  if (domain === undefined || (type !== 'tlsa' && type !== 'sts' && type !== 'no-policy-found')) return undefined;
  const mx = texts(policy['mx-host']);
  return {
    type,
    lines: texts(policy['policy-string']),
    domain,
    ...(mx.length === 0 ? {} : { mx }),
    successes: count(summary['total-successful-session-count']),
    failures: count(summary['total-failure-session-count']),
    details: Array.isArray(details) ? details.map(readDetail) : [],
  };
}

function readDetail(value: unknown): TlsFailureDetail {
  const fields = fieldsOf(value);
  const optional = {
    sendingIp: text(fields['sending-mta-ip']),
    host: text(fields['receiving-mx-hostname']),
    receivingIp: text(fields['receiving-ip']),
    reason: text(fields['failure-reason-code']),
  };
  const known = Object.entries(optional).filter(([, entry]) => entry !== undefined);
  return {
    result: text(fields['result-type']) ?? 'unknown',
    count: count(fields['failed-session-count']),
    ...Object.fromEntries(known),
  };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A list of texts; one text alone is a list of one, as some write it. */
function texts(value: unknown): string[] {
  return [value].flat().filter((entry) => typeof entry === 'string');
}

function count(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0;
}
