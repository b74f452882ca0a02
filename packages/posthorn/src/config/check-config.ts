import type { z } from 'zod';
import { crossChecks } from './cross-checks.ts';
import { explain } from './explain.ts';
import { formatPath, type Mistake } from './mistake.ts';
import { toPlain } from './plain.ts';
import { type Config, configSchema } from './schema.ts';

/** A configuration that may be used, or all that is wrong with it. */
export type Checked = { readonly config: Config } | { readonly mistakes: readonly Mistake[] };

/** Checks a configuration from anywhere, as a whole: all mistakes at once, each with its path and what to do. */
export function checkConfig(value: unknown): Checked {
  const { plain, mistakes } = toPlain(value);
  if (mistakes.length > 0) return { mistakes };
  const parsed = configSchema.safeParse(plain, { error: explain });
  const found = [...(parsed.success ? [] : parsed.error.issues.flatMap(mistakesOf)), ...crossChecks(plain)];
  return parsed.success && found.length === 0 ? { config: parsed.data } : { mistakes: found };
}

/** The text of an issue holds what is wrong and, on its second line, the remedy: see `field` and `explain`. */
function mistakesOf(issue: z.core.$ZodIssue): Mistake[] {
  if (issue.code !== 'unrecognized_keys') return [mistake(issue.path, issue.message)];
  const texts = issue.message.split('\n\n');
  return issue.keys.map((key, index) => mistake([...issue.path, key], texts[index] ?? ''));
}

function mistake(way: readonly PropertyKey[], text: string): Mistake {
  const [message = '', remedy = ''] = text.split('\n');
  return { path: formatPath(way), message, remedy };
}
