import { type Network, parseNetwork } from '@posthorn/smtp/address/network';
import { formatPath, type Mistake } from './mistake.ts';
import { isTooWide, isTooWideTogether } from './network-width.ts';
import { elementsOf, entriesOf, isRecord, type Plain } from './plain.ts';

/** A list of networks that somebody is believed by, and what follows where it holds everyone. */
interface Believed {
  readonly path: readonly (string | number)[];
  readonly networks: Plain | undefined;
  /** What strangers can do then, as the end of a sentence. */
  readonly harm: string;
}

const remedy = 'List only your own networks. If strangers shall do so, set iKnowThisIsAnOpenRelay to true.';

/** Networks so wide that they stand for everyone, wherever being in one lets a client send to anyone (RFC 5321 §7.9, RFC 2505 §2.1). */
export function openRelayMistakes(config: { readonly [key: string]: Plain }): Mistake[] {
  return config.iKnowThisIsAnOpenRelay === true ? [] : believed(config).flatMap(widthMistakes);
}

function believed({ relayFrom, users, listeners, domains }: { readonly [key: string]: Plain }): Believed[] {
  const field = (value: Plain, name: string) => (isRecord(value) ? value[name] : undefined);
  return [
    { path: ['relayFrom'], networks: relayFrom, harm: 'lets strangers send to anyone' },
    ...entriesOf(users).map(([name, user]) => ({
      path: ['users', name, 'networks'],
      networks: field(user, 'networks'),
      harm: 'lets strangers log in without a password',
    })),
    ...elementsOf(listeners).map((listener, index) => ({
      path: ['listeners', index, 'proxyProtocol'],
      networks: field(listener, 'proxyProtocol'),
      harm: 'lets strangers say that they are somebody else',
    })),
    ...entriesOf(domains).flatMap(([name, domain]) =>
      entriesOf(field(domain, 'batches')).map(([gateway, rules]) => ({
        path: ['domains', name, 'batches', gateway, 'networks'],
        networks: field(rules, 'networks'),
        harm: 'lets strangers hand in batches of mail to anyone',
      })),
    ),
  ];
}

function widthMistakes({ path, networks, harm }: Believed): Mistake[] {
  const parsed = elementsOf(networks).map((text) => (typeof text === 'string' ? parseNetwork(text) : undefined));
  const single = parsed.flatMap((network, index) => {
    if (network === undefined || !isTooWide(network)) return [];
    const shown = `${network.address}/${network.prefix}`;
    return { path: formatPath([...path, index]), message: `makes an open relay: ${shown} ${harm}`, remedy };
  });
  if (single.length > 0) return single;
  const isWide = isTooWideTogether(parsed.filter((network): network is Network => network !== undefined));
  const message = `makes an open relay: taken together, the networks are so wide that it ${harm}`;
  return isWide ? [{ path: formatPath(path), message, remedy }] : [];
}
