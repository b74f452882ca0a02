import { join } from 'node:path';
import type { OwnMailParts } from '../agents/own-mail.ts';
import { observationOf } from '../authentication/dmarc-observation.ts';
import type { Config } from '../config/schema.ts';
import { DmarcJournal } from './dmarc-journal.ts';
import { DmarcReporter, type DmarcReporterParts } from './dmarc-reporter.ts';
import type { CheckedMessage } from './message-check.ts';

/** What reports are made with. */
export interface DmarcReportsParts
  extends OwnMailParts,
    Pick<DmarcReporterParts, 'lookups' | 'store' | 'log' | 'wake'> {
  readonly config: Config;
  readonly postmaster: string;
}

/** Counts what is found of messages, and reports it; undefined where nobody is to be told (RFC 9990 §3). */
export interface DmarcReports {
  note(checked: CheckedMessage, source: string): void;
  start(): void;
  close(): Promise<void>;
}

/** Makes them as the configuration has it. */
export function createDmarcReports(parts: DmarcReportsParts): DmarcReports | undefined {
  const { config, postmaster, log, now, hostname } = parts;
  const rules = config.mailAuthentication.dmarcReports;
  if (rules === undefined) return undefined;
  const journal = new DmarcJournal({ folder: join(config.dataDir, 'dmarc'), mostOctets: rules.size, log, now });
  const reporter = new DmarcReporter({
    ...parts,
    journal,
    from: rules.from ?? postmaster,
    organization: rules.organization ?? hostname,
  });
  return {
    note({ findings, disposition }, source) {
      const observation = observationOf(findings, disposition, source);
      if (observation !== undefined) journal.note(observation);
    },
    start: () => reporter.start(),
    close: () => reporter.close(),
  };
}
