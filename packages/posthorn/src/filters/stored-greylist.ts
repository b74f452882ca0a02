import { Greylist, type GreylistRules, type GreyTriple } from './greylist.ts';
import { GreylistFile, readGreylist } from './greylist-file.ts';

/** Greylisting that outlives the process. */
export interface StoredGreylist {
  /** Milliseconds that a client has to wait before it tries again; undefined when it passes. */
  check(triple: GreyTriple, now: number): number | undefined;
  /** Waits until all is written. */
  close(): Promise<void>;
}

/** Where it is kept, and who hears of trouble with that. */
export interface GreylistPlace {
  readonly path: string;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Opens it; a file that cannot be read or written is told of, and greylisting goes on in memory. */
export async function openGreylist(
  rules: GreylistRules,
  { path, now, onError }: GreylistPlace,
): Promise<StoredGreylist> {
  const { entries, lines } = await readGreylist(path).catch((error: unknown) => {
    onError(error);
    return { entries: [], lines: 0 };
  });
  const file = new GreylistFile({ path, entries: () => greylist.entries(now()), onError }, lines);
  const greylist: Greylist = new Greylist(rules, (entry) => file.add(entry), entries);
  return { check: (triple, at) => greylist.check(triple, at), close: () => file.close() };
}
