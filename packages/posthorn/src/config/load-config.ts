import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createJiti } from 'jiti';
import { anchorPaths } from './anchor-paths.ts';
import { type Checked, checkConfig } from './check-config.ts';
import { parseJsonc } from './jsonc.ts';
import type { Mistake } from './mistake.ts';
import { programMistakes } from './program-checks.ts';
import { readAliases } from './read-aliases.ts';
import { readUsers } from './read-users.ts';
import type { Config } from './schema.ts';
import { readSigningKeys } from './signing-keys.ts';
import { authorityMistakes, tlsFileMistakes } from './tls-files.ts';

/** What a file holds, and on which line it says what. */
interface Loaded {
  readonly value: unknown;
  readonly lineOf?: (path: string) => number;
}

/** The longest that a configuration in TypeScript or JavaScript may take. */
const longestLoad = 30_000;

/**
 * Loads a configuration from a `.json`, `.jsonc`, `.ts` or `.js` file and checks it, the files it names included. Relative
 * paths count from its folder. Each call reads the file anew.
 */
export async function loadConfig(path: string): Promise<Checked> {
  const file = resolve(path);
  const loaded = /^\.jsonc?$/i.test(extname(file)) ? await loadJson(file) : await loadModule(file);
  if ('message' in loaded) return { mistakes: [{ ...loaded, file: path }] };
  const placed = (mistake: Mistake): Mistake => {
    const line = loaded.lineOf?.(mistake.path);
    // What stands in a file of aliases has a place of its own.
    return { file: path, ...(line === undefined ? {} : { line }), ...mistake };
  };
  const checked = checkConfig(loaded.value);
  if ('mistakes' in checked) return { mistakes: checked.mistakes.map(placed) };
  const config = anchorPaths(checked.config, dirname(file));
  const mistakes = [
    ...socketMistakes(config),
    ...(await tlsFileMistakes(config.tls)),
    ...(await authorityMistakes(config.authorities)),
    ...readAliases(config).mistakes,
    ...readSigningKeys(config).mistakes,
    ...readUsers(config).mistakes,
    ...programMistakes(config),
  ];
  return mistakes.length > 0 ? { mistakes: mistakes.map(placed) } : { config };
}

/** The system's structure for the address of a UNIX socket holds 107 octets; dataDir gets `control/socket` behind it. */
function socketMistakes({ dataDir, listeners }: Config): Mistake[] {
  const paths = [
    { path: 'dataDir', length: Buffer.byteLength(dataDir) + '/control/socket'.length },
    ...listeners.map((listener, index) => ({
      path: `listeners[${index}].path`,
      length: 'path' in listener && listener.path !== undefined ? Buffer.byteLength(listener.path) : 0,
    })),
  ];
  return paths
    .filter(({ length }) => length > 107)
    .map(({ path }) => ({ path, message: 'is too long for a UNIX socket', remedy: 'Choose a shorter absolute path.' }));
}

async function loadJson(file: string): Promise<Loaded | Mistake> {
  const text = await readFile(file, 'utf8').catch(unreadable);
  if (typeof text !== 'string') return text;
  const parsed = parseJsonc(text);
  return 'message' in parsed ? { ...parsed, remedy: 'Correct the JSON there.' } : parsed;
}

function unreadable(error: NodeJS.ErrnoException): Mistake {
  const message = `cannot be read: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`;
  return { path: '', message, remedy: 'Name a file that exists and may be read.' };
}

async function loadModule(file: string): Promise<Loaded | Mistake> {
  const missing = await readFile(file).then(() => undefined, unreadable);
  if (missing !== undefined) return missing;
  const abort = new AbortController();
  try {
    // Without caches, so that a reload sees what was changed.
    const jiti = createJiti(import.meta.url, { moduleCache: false, fsCache: false, interopDefault: false });
    const tooLong = wait(longestLoad, undefined, { signal: abort.signal, ref: false });
    const module = await Promise.race([jiti.import<{ default?: unknown }>(file), tooLong]);
    if (module === undefined)
      return { path: '', message: `is not there after ${longestLoad / 1000} s`, remedy: 'Let the file not wait.' };
    if (module.default !== undefined) return { value: module.default };
    return { path: '', message: 'is not exported', remedy: 'Write `export default defineConfig({ … })`.' };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { path: '', message: `cannot be loaded: ${text.split('\n')[0]}`, remedy: 'Correct the file.' };
  } finally {
    abort.abort();
  }
}
