import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { parseDomainPattern } from '../routing/domain-pattern.ts';
import { formatPath, type Mistake } from './mistake.ts';
import { elementsOf, entriesOf, isRecord, type Plain } from './plain.ts';

type Members = { readonly [key: string]: Plain };

/** What is wrong with mail that is fetched, from here or by us, though each value is well formed (RFC 2645 §4). */
export function onDemandMistakes(config: Members): Mistake[] {
  const users = entriesOf(config.users).flatMap(([name, user]) => (isRecord(user) ? [[name, user] as const] : []));
  return [
    ...users.flatMap(([name, user]) => rightsMistakes(name, user, config)),
    ...idleMistakes(config, users),
    ...etrnMistakes(config, users),
    ...fetchMistakes(config),
  ];
}

/** Mail that does not wait cannot be fetched. */
function rightsMistakes(name: string, user: Members, { routes }: Members): Mistake[] {
  return elementsOf(user.atrnDomains).flatMap((text, index) => {
    const domain = typeof text === 'string' ? normalizeDomain(text) : undefined;
    if (domain === undefined || targetOf(domain, routes) === 'odmr:') return [];
    const path = formatPath(['users', name, 'atrnDomains', index]);
    const message = `is ${domain}, whose mail does not wait here: no route leads it to "odmr:"`;
    return { path, message, remedy: `Add { domain: "${domain}", to: "odmr:" } to the routes.` };
  });
}

function targetOf(domain: string, routes: Plain | undefined): Plain | undefined {
  const first = elementsOf(routes).find(
    (route) => isRecord(route) && typeof route.domain === 'string' && parseDomainPattern(route.domain)?.(domain),
  );
  return isRecord(first) ? first.to : undefined;
}

function idleMistakes(config: Members, users: readonly (readonly [string, Members])[]): Mistake[] {
  const hasRights =
    users.some(([, user]) => elementsOf(user.atrnDomains).length > 0) ||
    (isRecord(config.odmr) && config.odmr.domainsFile !== undefined);
  const remedy = 'Give a user atrnDomains, or name an odmr.domainsFile.';
  const idle = elementsOf(config.listeners).flatMap((listener, index) =>
    isRecord(listener) && listener.role === 'odmr' && !hasRights
      ? { path: formatPath(['listeners', index]), message: 'is for logins that fetch mail, and none may', remedy }
      : [],
  );
  if (config.turn !== true || (hasRights && config.tls !== undefined)) return idle;
  const message = 'has no effect without TLS, nor without a user who may fetch mail';
  return [...idle, { path: 'turn', message, remedy: 'Add tls and atrnDomains of a user, or take turn away.' }];
}

function etrnMistakes({ etrn }: Members, users: readonly (readonly [string, Members])[]): Mistake[] {
  if (!isRecord(etrn)) return [];
  const known = new Set(users.map(([name]) => name));
  const strangers = elementsOf(etrn.logins).flatMap((login, index) =>
    typeof login !== 'string' || known.has(login)
      ? []
      : {
          path: formatPath(['etrn', 'logins', index]),
          message: `is ${login}, which is no user`,
          remedy: 'Add the user, or correct the name.',
        },
  );
  if (elementsOf(etrn.networks).length + elementsOf(etrn.logins).length > 0) return strangers;
  return [
    { path: 'etrn', message: 'lets nobody use it', remedy: 'Add networks or logins, or take etrn away.' },
    ...strangers,
  ];
}

function fetchMistakes(config: Members): Mistake[] {
  const sources = elementsOf(config.fetch).map((source) => (isRecord(source) ? source : {}));
  return sources.flatMap((source, index) => {
    const path = (...more: PropertyKey[]) => formatPath(['fetch', index, ...more]);
    const mistakes: Mistake[] = [];
    if (sources.findIndex(({ name }) => name === source.name) !== index) {
      mistakes.push({
        path: path('name'),
        message: 'is the name of another one',
        remedy: 'Give it a name of its own.',
      });
    }
    return [...mistakes, ...loginMistakes(source, path), ...nodeMistakes(source, path)];
  });
}

type PathTo = (...more: PropertyKey[]) => string;

function loginMistakes({ by, user, password, passwordFile }: Members, path: PathTo): Mistake[] {
  const secrets = [password, passwordFile].filter((each) => each !== undefined).length;
  const needsLogin = by !== 'etrn';
  if (user === undefined && (needsLogin || secrets > 0)) {
    return [{ path: path(), message: 'needs a user', remedy: 'Add user, and password or passwordFile.' }];
  }
  if (user === undefined || secrets === 1) return [];
  const message = secrets === 0 ? 'has a user without a password' : 'has two passwords';
  return [{ path: path(), message, remedy: 'Write either password or passwordFile.' }];
}

function nodeMistakes({ by, domains }: Members, path: PathTo): Mistake[] {
  const nodes = elementsOf(domains);
  if (by === 'etrn' && nodes.length === 0) {
    return [{ path: path(), message: 'says not for whom to ask', remedy: 'Add domains.' }];
  }
  if (by === 'turn' && nodes.length > 0) {
    return [{ path: path('domains'), message: 'has no place in TURN', remedy: 'Take it away, or write by: "atrn".' }];
  }
  if (by === 'etrn') return [];
  return nodes.flatMap((node, at) =>
    typeof node === 'string' && /^[@#[]/.test(node)
      ? {
          path: path('domains', at),
          message: 'must be a domain, for ATRN',
          remedy: 'Write a domain such as "example.org".',
        }
      : [],
  );
}
