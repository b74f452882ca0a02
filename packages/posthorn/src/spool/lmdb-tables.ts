import { Failure } from '@posthorn/smtp/failure/failure';
import { type Database, open, type RootDatabase } from 'lmdb';
import { checkEnvironment } from './check-environment.ts';
import type { KeyRange, Table, Tables } from './table.ts';

/** Version of the format that the tables are in. */
const FORMAT = '1';
const GIBIBYTE = 1024 ** 3;

type Bytes = Database<Buffer, string>;

/** One database of LMDB as a table. */
class LmdbTable implements Table {
  readonly database: Bytes;

  constructor(database: Bytes) {
    this.database = database;
  }

  get(key: string): Buffer | undefined {
    const bytes = read(() => this.database.getBinary(key));
    return bytes === undefined ? undefined : asBuffer(bytes);
  }

  keys(range: KeyRange): string[] {
    return read(() => [...this.database.getKeys({ ...range })]);
  }

  count(): number {
    return read(() => statistics(this.database).entryCount);
  }
}

/** The spool as LMDB has it. */
export interface LmdbSpool {
  readonly root: RootDatabase<Buffer, string>;
  /** What the spool says of itself: its format, the process that owns it. */
  readonly meta: Bytes;
  readonly tables: Tables<LmdbTable>;
}

/** What LMDB tells about a database and the file it is in; sizes in pages, without a walk. */
export interface Statistics {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
  readonly entryCount: number;
  readonly lastPageNumber: number;
}

/** Reads the statistics of a database. */
export function statistics(database: Bytes): Statistics {
  return database.getStats() as Statistics;
}

const names = [
  'messages',
  'states',
  'parts',
  'due',
  'domains',
  'drafts',
  'once',
  'tracks',
  'checkpoints',
] as const satisfies readonly (keyof Tables)[];

const emptyTable: Table = { get: () => undefined, keys: () => [], count: () => 0 };

/**
 * Opens the tables of a spool to be written. Throws Failure `storage` when the directory cannot be used or is in a format
 * that this version does not know.
 */
export function openTables(path: string): LmdbSpool {
  return openWith(path, false, (root) => ({
    root,
    meta: openMeta(root, path, false),
    tables: openEach(root, openTable),
  }));
}

/** Opens the tables of a spool to look at; one that came after it was written is empty. Throws Failure `storage`. */
export function viewTables(path: string): Pick<LmdbSpool, 'root'> & { readonly tables: Tables } {
  return openWith(path, true, (root) => {
    openMeta(root, path, true);
    return { root, tables: openEach(root, (root, name) => findTable(root, name) ?? emptyTable) };
  });
}

function openWith<T>(path: string, readOnly: boolean, read: (root: RootDatabase<Buffer, string>) => T): T {
  checkEnvironment(path, { readOnly });
  const root = openRoot(path, readOnly);
  try {
    return read(root);
  } catch (error) {
    void root.close();
    throw error;
  }
}

function openRoot(path: string, readOnly: boolean): RootDatabase<Buffer, string> {
  const options = {
    path,
    readOnly,
    encoding: 'binary',
    noSubdir: false,
    maxDbs: 12,
    mapSize: 16 * GIBIBYTE,
    // The order that needs no trust: data, sync, then the page that makes it count; a failure of the sync is told.
    overlappingSync: false,
    eventTurnBatching: false,
    // A queue is not read in the order of the file.
    noReadAhead: true,
    permissionsMode: 0o600,
  } as const;
  try {
    return open<Buffer, string>(options);
  } catch (cause) {
    throw new Failure('storage', `The spool at ${path} cannot be opened: ${(cause as Error).message}`, cause);
  }
}

type Root = RootDatabase<Buffer, string>;

function openEach<T>(root: Root, open: (root: Root, name: keyof Tables) => T): Tables<T> {
  return Object.fromEntries(names.map((name) => [name, open(root, name)])) as unknown as Tables<T>;
}

function openTable(root: Root, name: keyof Tables): LmdbTable {
  return new LmdbTable(root.openDB<Buffer, string>({ name, encoding: 'binary' }));
}

/** Undefined: the file has no such table, and nobody may make one. */
function findTable(root: Root, name: string): LmdbTable | undefined {
  const database: Bytes | undefined = root.openDB<Buffer, string>({ name, encoding: 'binary' });
  return database === undefined ? undefined : new LmdbTable(database);
}

/** What the spool says of itself, its format checked. */
function openMeta(root: Root, path: string, readOnly: boolean): Bytes {
  const meta: Bytes | undefined = root.openDB<Buffer, string>({ name: 'meta', encoding: 'binary' });
  if (meta === undefined) throw new Failure('storage', `There is no spool at ${path}`);
  const found = meta.getBinary('format');
  if (found === undefined && !readOnly) {
    meta.putSync('format', Buffer.from(FORMAT));
    return meta;
  }
  const format = found === undefined ? 'none' : asBuffer(found).toString('latin1');
  if (format === FORMAT) return meta;
  throw new Failure(
    'storage',
    `The spool at ${path} has format ${format}; this version of Posthorn knows format ${FORMAT}. ` +
      'Run the version that wrote it until its queue is empty, or give Posthorn another directory.',
  );
}

function read<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Failure('storage', 'The spool cannot be read', cause);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
