import { Failure } from '@posthorn/smtp/failure/failure';
import type { ProgramRules } from '../agents/run-program.ts';
import { formatMistake } from '../config/mistake.ts';
import { programMistakes } from '../config/program-checks.ts';
import type { Config } from '../config/schema.ts';

/** How the programs of a configuration are run. Throws Failure `invalid` where they would run as root. */
export function programRulesOf(config: Config): ProgramRules {
  const first = programMistakes(config)[0];
  if (first !== undefined) throw new Failure('invalid', formatMistake(first));
  const { uid, gid, home, timeLimit } = config.programs;
  // Only root can become another user, and all that is configured for others is to be what they are.
  const isRoot = process.getuid?.() === 0;
  return { home, timeLimit, ...(isRoot && uid !== undefined && gid !== undefined ? { user: { uid, gid } } : {}) };
}
