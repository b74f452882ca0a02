import type { Config } from '../config/schema.ts';

/** What is read once, at the start. */
const fixedFields = [
  'terminals',
  'hostname',
  'dataDir',
  'listeners',
  'authorities',
  'extensions',
  'filters',
  'srs',
  'contentFilters',
  'limits',
  'queue',
  'dns',
  'tlsReports',
  'postmaster',
  'odmr',
  'etrn',
  'turn',
  'fetch',
  'logins',
] as const;

/** The fields of a new configuration that a running agent cannot take over. */
export function fieldsThatNeedRestart(present: Config, next: Config): string[] {
  const changed = fixedFields.filter((field) => print(present[field]) !== print(next[field]));
  // EXPN is offered, or not, as it was at the start.
  const [offered, wanted] = [present, next].map(({ disclosure }) => disclosure.expand !== undefined);
  const [reporting, wished] = [present, next].map(({ mailAuthentication }) => print(mailAuthentication.dmarcReports));
  return [
    ...changed,
    ...(offered === wanted ? [] : ['disclosure.expand']),
    ...(present.outboundTls.mtaSts === next.outboundTls.mtaSts ? [] : ['outboundTls.mtaSts']),
    ...(reporting === wished ? [] : ['mailAuthentication.dmarcReports']),
  ];
}

function print(value: unknown): string | undefined {
  return JSON.stringify(value);
}
