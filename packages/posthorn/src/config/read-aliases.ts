import { parseAliasFile, parseIncludeFile } from '../directory/alias-file.ts';
import { parseAliasTarget } from '../directory/alias-target.ts';
import { createDirectory } from '../directory/directory.ts';
import { deadEnd, isEndless } from './alias-checks.ts';
import { formatPath, type Mistake } from './mistake.ts';
import { readTextFile } from './read-text-file.ts';
import type { Config } from './schema.ts';

/** The domains of a configuration with all of their aliases. */
export interface ReadAliases {
  readonly domains: Config['domains'];
  /** What is wrong with files of aliases, and what they include, each with its file and line; the first hundred. */
  readonly mistakes: readonly Mistake[];
}

type Place = Pick<Mistake, 'path' | 'file' | 'line'>;

interface PlacedTarget {
  readonly text: string;
  readonly place: Place;
}

interface PlacedAlias {
  readonly name: string;
  readonly place: Place;
  readonly targets: readonly PlacedTarget[];
}

const mostMistakes = 100;
/** Files that include one another. */
const deepest = 10;
/** Targets and inclusions of one alias. */
const mostTargets = 10_000;

/** Reads the files of aliases that domains name, and all that aliases include: aliases(5). */
export function readAliases(config: Config): ReadAliases {
  const domains = Object.entries(config.domains);
  if (!domains.some(([, { aliases, aliasFiles }]) => aliasFiles.length > 0 || hasInclude(aliases))) {
    return { domains: config.domains, mistakes: [] };
  }
  const reader = new AliasReader(config.programs.inIncludes);
  const read = domains.map(([name, domain]) => [name, reader.read(name, domain)] as const);
  const full = domains.map(([name, domain], index) => {
    const aliases = (read[index]?.[1] ?? []).map((each) => [each.name, each.targets.map(({ text }) => text)] as const);
    return [name, { ...domain, aliases: Object.fromEntries(aliases) }] as const;
  });
  const result = Object.fromEntries(full);
  if (reader.mistakes.length === 0) checkEnds(config, result, read, reader);
  return { domains: result, mistakes: reader.mistakes.slice(0, mostMistakes) };
}

function hasInclude(aliases: Readonly<Record<string, readonly string[]>>): boolean {
  return Object.values(aliases).some((targets) => targets.some((text) => /^:include:/i.test(text)));
}

/** Aliases that lead to nobody, or in a circle: known only when all is read. */
function checkEnds(
  { hostname, postmaster }: Config,
  domains: Config['domains'],
  read: readonly (readonly [string, readonly PlacedAlias[]])[],
  reader: AliasReader,
): void {
  const directory = createDirectory({ hostname, domains, ...(postmaster === undefined ? {} : { postmaster }) });
  for (const [domain, aliases] of read) {
    for (const { name, place, targets } of aliases) {
      for (const target of targets) {
        const message = deadEnd(target.text, domain, directory);
        if (message !== undefined) reader.fail(target.place, message, 'Add the mailbox, or correct the name.');
      }
      if (isEndless(name, domain, directory)) {
        reader.fail(place, 'leads round in a circle, or to too many addresses', 'Let it lead to mailboxes.');
      }
    }
  }
}

class AliasReader {
  readonly mistakes: Mistake[] = [];
  readonly #programsInIncludes: boolean;
  /** Places left for the alias that is read. */
  #room = 0;

  constructor(programsInIncludes: boolean) {
    this.#programsInIncludes = programsInIncludes;
  }

  fail(place: Place, message: string, remedy: string): void {
    if (this.mistakes.length < mostMistakes) this.mistakes.push({ ...place, message, remedy });
  }

  /** All aliases of a domain; a name belongs to the place that is read first. */
  read(name: string, { aliases, aliasFiles }: Config['domains'][string]): readonly PlacedAlias[] {
    const written = Object.entries(aliases).map(([alias, targets]): PlacedAlias => {
      const way = ['domains', name, 'aliases', alias];
      const placed = targets.map((text, index) => ({ text, place: { path: formatPath([...way, index]) } }));
      return { name: alias, place: { path: formatPath(way) }, targets: placed };
    });
    const all = [...written, ...aliasFiles.flatMap((file, index) => this.#readFile(file, name, index))];
    const known = new Set<string>();
    const first = all.filter((alias) => {
      const key = alias.name.toLowerCase();
      if (known.has(key)) this.fail(alias.place, 'is an alias of another place too', 'Put both into one.');
      return !known.has(key) && known.add(key);
    });
    return first.map((alias) => ({ ...alias, targets: this.#resolve(alias, name) }));
  }

  #readFile(file: string, domain: string, index: number): readonly PlacedAlias[] {
    const read = readTextFile(file);
    if ('reason' in read) {
      const path = formatPath(['domains', domain, 'aliasFiles', index]);
      this.fail({ path }, `cannot be read: ${file}: ${read.reason}`, 'Correct the path, or who may read the file.');
      return [];
    }
    const { aliases, mistakes } = parseAliasFile(read.text);
    for (const { line, message } of mistakes) this.#failLine(file, line, message);
    return aliases.map((alias) => ({
      name: alias.name,
      place: { path: alias.name, file, line: alias.line },
      targets: alias.targets.map(({ text, line }) => ({ text, place: { path: alias.name, file, line } })),
    }));
  }

  #failLine(file: string, line: number, message: string): void {
    this.fail({ path: 'the line', file, line }, message, 'Correct the line.');
  }

  #resolve({ targets, place }: PlacedAlias, domain: string): readonly PlacedTarget[] {
    this.#room = mostTargets;
    const resolved = targets.flatMap((target) => this.#include(target, domain, []));
    if (this.#room < 0) this.fail(place, `leads to more than ${mostTargets} targets`, 'Make a list of it.');
    return resolved;
  }

  /** The target, or those that it includes; `way`: the files that it came through. */
  #include(target: PlacedTarget, domain: string, way: readonly string[]): PlacedTarget[] {
    this.#room -= 1;
    if (this.#room < 0) return [];
    const parsed = parseAliasTarget(target.text, domain);
    if (parsed !== undefined && 'target' in parsed && way.length > 0 && !this.#programsInIncludes) {
      const message = 'leads to a program or a file, as an included file must not';
      this.fail(target.place, message, 'Write it into the file of aliases, or set programs.inIncludes to true.');
    }
    if (parsed === undefined || !('include' in parsed)) return [target];
    const { include } = parsed;
    if (way.includes(include) || way.length >= deepest) {
      this.fail(target.place, `includes ${include} in a circle, or too deep`, 'Take one of the inclusions away.');
      return [];
    }
    const read = readTextFile(include);
    if ('reason' in read) {
      this.fail(
        target.place,
        `includes ${include}, which cannot be read: ${read.reason}`,
        'Correct the path or its mode.',
      );
      return [];
    }
    const { targets, mistakes } = parseIncludeFile(read.text);
    for (const { line, message } of mistakes) this.#failLine(include, line, message);
    const { path } = target.place;
    return targets.flatMap(({ text, line }) =>
      this.#include({ text, place: { path, file: include, line } }, domain, [...way, include]),
    );
  }
}
