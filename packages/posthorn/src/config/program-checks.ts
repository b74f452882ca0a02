import type { Mistake } from './mistake.ts';
import { readAliases } from './read-aliases.ts';
import type { Config } from './schema.ts';

/** The user that a process is. */
export type ProcessUser = Pick<NodeJS.Process, 'getuid'>;

/** Why programs cannot be run: never as root, and as another user by root alone. */
export function programMistakes(config: Config, { getuid }: ProcessUser = process): Mistake[] {
  const own = getuid?.();
  const { uid, gid } = config.programs;
  if (own === undefined || !hasPrograms(config)) return [];
  if (own === 0 && (uid === undefined || gid === undefined)) {
    const remedy = 'Set programs.uid and programs.gid to a user that owns nothing, such as 65534.';
    return [{ path: 'programs', message: 'would run as root', remedy }];
  }
  if (own === 0 || uid === undefined || uid === own) return [];
  const message = `cannot be ${uid}: only root may become another user, and the server is ${own}`;
  return [{ path: 'programs.uid', message, remedy: 'Start the server as root, or take programs.uid away.' }];
}

function hasPrograms(config: Config): boolean {
  const domains = Object.values(readAliases(config).domains);
  const targets = [
    ...config.routes.map(({ to }) => to),
    ...domains.flatMap(({ deliver, gateway }) => [deliver ?? '', gateway?.deliver ?? '']),
  ];
  const aliasTargets = domains.flatMap(({ aliases }) => Object.values(aliases).flat());
  return targets.some((target) => /^pipe:/i.test(target)) || aliasTargets.some((target) => target.startsWith('|'));
}
