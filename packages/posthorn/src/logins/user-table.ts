import { stat } from 'node:fs/promises';
import { formatMistake } from '../config/mistake.ts';
import { readUsers } from '../config/read-users.ts';
import type { Config } from '../config/schema.ts';

/** One who may log in. */
export type User = Config['users'][string];

/** All who may log in: those of the configuration, and those of the files that it names. */
export class UserTable {
  #users: Config['users'] | undefined;
  readonly #config: Pick<Config, 'users' | 'userFiles'>;
  readonly #tell: (mistakes: readonly string[]) => void;
  #state: string | undefined;

  /** `tell` hears of what is wrong in the files; users that stand there rightly count all the same. */
  constructor(config: Pick<Config, 'users' | 'userFiles'>, tell: (mistakes: readonly string[]) => void) {
    this.#config = config;
    this.#tell = tell;
  }

  /** All of them by their names; the files are read when somebody asks first. */
  get users(): Config['users'] {
    this.#users ??= this.#read();
    return this.#users;
  }

  /** Reads the files again if one of them was changed; while one is not there, what is known stays. */
  async refresh(): Promise<void> {
    if (this.#config.userFiles.length === 0) return;
    const state = await stateOf(this.#config.userFiles);
    if (state === undefined || state === this.#state) return;
    this.#state = state;
    this.#users = this.#read();
  }

  /** The user with this name. */
  find(name: string): User | undefined {
    const { users } = this;
    return Object.hasOwn(users, name) ? users[name] : undefined;
  }

  #read(): Config['users'] {
    const { users, mistakes } = readUsers(this.#config);
    if (mistakes.length > 0) this.#tell(mistakes.map(formatMistake));
    return users;
  }
}

/** What changes when a file does; undefined when one cannot be looked at. */
async function stateOf(files: readonly string[]): Promise<string | undefined> {
  try {
    const states = await Promise.all(files.map((file) => stat(file)));
    return states.map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join('\n');
  } catch {
    return undefined;
  }
}
