import type { Failure } from '@posthorn/smtp/failure/failure';
import type { Role, Session, Transaction } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';
import { scanByClamav } from '../filters/clamav.ts';
import type { ContentVerdict, FilteredContent } from '../filters/content-verdict.ts';
import { MilterSession } from '../filters/milter-session.ts';
import { judgeByRspamd } from '../filters/rspamd.ts';

/** A message that a filter is asked about. */
export interface FilterQuestion {
  readonly hostname: string;
  readonly session: Session;
  readonly transaction: Transaction;
  readonly id: string;
  readonly content: FilteredContent;
  readonly signal: AbortSignal;
}

/** A filter of the configuration. */
export interface ContentFilter {
  readonly rules: Config['contentFilters'][number] & { readonly target: Config['contentFilters'][number]['address'] };
  readonly roles: ReadonlySet<Role>;
  /** Follows a session from its beginning; absent: it hears of messages alone. */
  follow?(session: Session, hostname: string): MilterSession;
  /** Rejects with Failure when it cannot be asked, or with the reason of the signal. */
  judge(question: FilterQuestion, milter: MilterSession | undefined): Promise<ContentVerdict>;
}

/** Makes a filter; `failed` is told why one that follows sessions cannot be used. */
export function createContentFilter(
  config: Config['contentFilters'][number],
  failed: (failure: Failure) => void,
): ContentFilter {
  const rules = { ...config, target: config.address };
  const roles = new Set<Role>(config.roles);
  switch (rules.kind) {
    case 'milter':
      return {
        rules,
        roles,
        follow: (session, hostname) => new MilterSession({ rules, session, hostname, failed }),
        judge: async ({ content, ...facts }, milter) =>
          (await milter?.message(content, facts)) ?? { kind: 'pass', changes: [] },
      };
    case 'rspamd': {
      const rspamd = rules;
      return { rules, roles, judge: ({ content, ...facts }) => judgeByRspamd(content, { ...facts, rules: rspamd }) };
    }
    case 'clamav': {
      const clamav = rules;
      return { rules, roles, judge: ({ content, signal }) => scanByClamav(content, { rules: clamav, signal }) };
    }
  }
}
