import { describe, expect, it } from 'vitest';
import { readSourceModules, type SourceModule, targetOf } from './source-modules.ts';

const core = [
  'failure',
  'bytes',
  'address',
  'reply',
  'command',
  'sasl',
  'protocol',
  'message',
  'report',
  'mtqp',
  'batch',
];
const smtp = [...core, 'net', 'client', 'server', 'tracking', 'testing'];
const coreRooms = core.map((room) => `smtp/${room}`);
const smtpRooms = smtp.map((room) => `smtp/${room}`);
const pureRooms = ['queue', 'routing', 'directory', 'authentication'].map((room) => `posthorn/${room}`);
const adapterRooms = ['dns', 'spool', 'agents', 'filters', 'logins'].map((room) => `posthorn/${room}`);

/** Which other rooms each room may import; the core names rooms of its own package. */
const table: Readonly<Record<string, readonly string[]>> = {
  'smtp/failure': [],
  'smtp/bytes': [],
  'smtp/address': ['smtp/bytes'],
  'smtp/reply': ['smtp/bytes'],
  'smtp/command': ['smtp/bytes', 'smtp/address', 'smtp/reply'],
  'smtp/sasl': ['smtp/bytes'],
  'smtp/protocol': ['smtp/bytes', 'smtp/address', 'smtp/reply', 'smtp/command', 'smtp/sasl'],
  'smtp/message': ['smtp/failure', 'smtp/bytes', 'smtp/address'],
  'smtp/report': ['smtp/bytes', 'smtp/address', 'smtp/reply', 'smtp/message'],
  'smtp/mtqp': ['smtp/bytes', 'smtp/address'],
  'smtp/batch': ['failure', 'bytes', 'reply', 'command', 'protocol', 'message'].map((room) => `smtp/${room}`),
  'smtp/net': coreRooms,
  'smtp/client': [...coreRooms, 'smtp/net'],
  'smtp/server': [...coreRooms, 'smtp/net'],
  'smtp/tracking': [...coreRooms, 'smtp/net'],
  'smtp/testing': [...coreRooms, 'smtp/net', 'smtp/client', 'smtp/server'],
  'smtp/nodemailer': [...coreRooms, 'smtp/client'],
  'posthorn/queue': coreRooms,
  'posthorn/routing': [...coreRooms, 'posthorn/queue'],
  'posthorn/directory': coreRooms,
  'posthorn/authentication': coreRooms,
  'posthorn/dns': ['smtp/failure', 'smtp/address', 'smtp/net'],
  'posthorn/spool': ['smtp/failure', 'smtp/mtqp', 'posthorn/queue'],
  'posthorn/agents': [...smtpRooms, 'posthorn/queue', 'posthorn/routing', 'posthorn/dns'],
  'posthorn/filters': [...smtpRooms, 'posthorn/queue', 'posthorn/dns'],
  // The form of a name server is known where it is used.
  'posthorn/config': [...coreRooms, ...pureRooms, 'posthorn/dns'],
  'posthorn/logins': [...coreRooms, 'posthorn/config'],
  'posthorn/mta': [...smtpRooms, ...pureRooms, ...adapterRooms, 'posthorn/config'],
  'posthorn/control': [...coreRooms, 'smtp/net', 'posthorn/queue', 'posthorn/mta'],
  'posthorn/cli': [
    ...coreRooms,
    'smtp/client',
    'smtp/tracking',
    ...['queue', 'authentication', 'spool', 'config', 'mta', 'control'].map((room) => `posthorn/${room}`),
  ],
  'posthorn/web': ['posthorn/control'],
};

/** What the pure rooms may take from the platform: nothing that reads, writes, waits, or knows the time. */
const purePlatform = new Set(['node:buffer', 'node:crypto', 'node:url', 'node:net']);
const impure =
  /^(Date\.now|Date\(\)|performance\.now|Math\.random|process\.\w+|console\.\w+|set(Timeout|Interval|Immediate)\(…\)|queueMicrotask\(…\)|fetch\(…\)|(crypto\.)?random(Bytes|UUID|Int|FillSync)\(…?\)|crypto\.getRandomValues)$/;

const modules = readSourceModules();
const roomOf = (module: SourceModule) => `${module.package}/${module.room}`;
const isPure = (room: string) => coreRooms.includes(room) || pureRooms.includes(room);
const edges = modules.flatMap((module) =>
  module.imports.map((specifier) => ({ module, from: roomOf(module), specifier, to: targetOf(module, specifier) })),
);
const isRoom = (target: string) => /^(smtp|posthorn)\//.test(target);

describe('the rooms', () => {
  it('are all in the table', () => {
    const strangers = modules.filter((module) => !(roomOf(module) in table)).map(({ path }) => path);
    expect(strangers).toEqual([]);
  });

  it('import no room that the table does not allow them', () => {
    const forbidden = edges
      .filter(({ from, to }) => isRoom(to) && from !== to && !table[from]?.includes(to))
      .map(({ module, specifier }) => `${module.path} imports ${specifier}`);
    expect(forbidden).toEqual([]);
  });

  it('form no cycle', () => {
    expect(findCycle(table)).toBeUndefined();
  });

  it('reach one package from the other by its name and file, never by a path or a barrel', () => {
    const detours = edges
      .filter(({ module, specifier, to }) => {
        if (specifier.startsWith('@posthorn/')) return module.package === 'smtp' || specifier.split('/').length < 4;
        return specifier.startsWith('.') && (!to.startsWith(`${module.package}/`) || !/\.tsx?$/.test(specifier));
      })
      .map(({ module, specifier }) => `${module.path} imports ${specifier}`)
      .filter((line) => !/ imports @posthorn\/smtp\/(client|server|tracking)$/.test(line));
    expect(detours).toEqual([]);
    // The files that package.json names may pass on the types that their users need.
    const isEntry = (path: string) =>
      /\/(client\/client|nodemailer\/nodemailer|server\/server|testing\/testing|tracking\/tracking)\.ts$/.test(path);
    const barrels = modules.filter(
      ({ path, reexports }) => (reexports && !isEntry(path)) || /\/index\.tsx?$/.test(path),
    );
    expect(barrels.map(({ path }) => path)).toEqual([]);
  });

  it('of the protocol package need nothing but Node itself', () => {
    const foreign = edges.filter(
      ({ module, to }) => module.package === 'smtp' && !isRoom(to) && !to.startsWith('node:'),
    );
    expect(foreign.map(({ module, specifier }) => `${module.path} imports ${specifier}`)).toEqual([]);
  });

  it('that are pure take no I/O, clock, timer or chance from the platform', () => {
    const reaching = edges.filter(({ from, to }) => isPure(from) && to.startsWith('node:') && !purePlatform.has(to));
    expect(reaching.map(({ module, specifier }) => `${module.path} imports ${specifier}`)).toEqual([]);
    const using = modules
      .filter((module) => isPure(roomOf(module)))
      .flatMap(({ path, mentions }) =>
        [...mentions].filter((name) => impure.test(name)).map((name) => `${path} uses ${name}`),
      );
    expect(using).toEqual([]);
  });
});

/** The first cycle in a table of rooms, as the rooms along it, or undefined. */
function findCycle(rooms: Readonly<Record<string, readonly string[]>>): string[] | undefined {
  const done = new Set<string>();
  const walk = (room: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(room)) return [...way.slice(way.indexOf(room)), room];
    if (done.has(room)) return undefined;
    for (const next of rooms[room] ?? []) {
      const cycle = walk(next, [...way, room]);
      if (cycle) return cycle;
    }
    done.add(room);
    return undefined;
  };
  return Object.keys(rooms)
    .map((room) => walk(room, []))
    .find((cycle) => cycle !== undefined);
}
