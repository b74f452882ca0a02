import { formatPath, type Mistake } from './mistake.ts';
import { readTextFile } from './read-text-file.ts';
import type { Config } from './schema.ts';
import { parseUserFile } from './user-file.ts';

/** All users of a configuration, and what is wrong with its files of users; the first hundred. */
export interface ReadUsers {
  readonly users: Config['users'];
  readonly mistakes: readonly Mistake[];
}

const mostMistakes = 100;

/** Reads the files of users that a configuration names; who stands in several places is a mistake, and the first counts. */
export function readUsers({ users, userFiles }: Pick<Config, 'users' | 'userFiles'>): ReadUsers {
  if (userFiles.length === 0) return { users, mistakes: [] };
  const all = new Map(Object.entries(users));
  const mistakes: Mistake[] = [];
  for (const [index, file] of userFiles.entries()) {
    const read = readTextFile(file);
    if ('reason' in read) {
      const path = formatPath(['userFiles', index]);
      const message = `cannot be read: ${file}: ${read.reason}`;
      mistakes.push({ path, message, remedy: 'Correct the path, or who may read the file.' });
      continue;
    }
    const parsed = parseUserFile(read.text);
    const place = { path: 'the line', file };
    for (const mistake of parsed.mistakes) mistakes.push({ ...place, ...mistake, remedy: 'Correct the line.' });
    for (const { name, line, user } of parsed.users) {
      if (!all.has(name)) all.set(name, user);
      else mistakes.push({ ...place, line, message: `names ${name} again`, remedy: 'Leave the user in one place.' });
    }
  }
  return { users: Object.fromEntries(all), mistakes: mistakes.slice(0, mostMistakes) };
}
