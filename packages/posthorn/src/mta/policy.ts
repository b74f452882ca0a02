import { networkInterfaces } from 'node:os';
import { networkMatcher } from '../config/network.ts';
import type { Config } from '../config/schema.ts';
import { createDirectory, type Directory } from '../directory/directory.ts';
import type { NextHop } from '../queue/next-hop.ts';
import { createRouter, type RouterConfig } from '../routing/router.ts';

/** What a reload replaces: who is who, where mail goes, who may do what. */
export interface Policy {
  readonly directory: Directory;
  readonly users: Config['users'];
  readonly submission: Config['submission'];
  readonly routes: Config['routes'];
  route(address: string): NextHop;
  isRelayClient(address: string): boolean;
}

/** IP addresses of this host's interfaces. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}

/** Makes the policy of a configuration. Throws Failure `invalid` for what its check would have found. */
export function createPolicy(config: Config): Policy {
  const own = ownAddresses();
  const { hostname, domains, routes, users, submission, postmaster } = config;
  const directory = createDirectory({
    hostname,
    ownAddresses: own,
    domains,
    ...(postmaster === undefined ? {} : { postmaster }),
  });
  const router = createRouter({
    localDomains: localDomainsOf(config),
    routes,
    ownAddresses: own,
    homeDomain: directory.homeDomain,
    mailboxOf: directory.mailboxOf,
  });
  return {
    directory,
    users,
    submission,
    routes,
    route: router.route,
    isRelayClient: remembering(networkMatcher(config.relayFrom)),
  };
}

/** Domains with mailboxes; the others only pass through. */
function localDomainsOf({ domains }: Config): RouterConfig['localDomains'] {
  const local = Object.entries(domains).flatMap(([name, { deliver, caseSensitive, relay }]) =>
    deliver === undefined ? [] : [[name, { deliver, caseSensitive, relay }] as const],
  );
  return Object.fromEntries(local);
}

const mostRemembered = 10_000;

/** The same answers, looked up once for each address: a client asks for every recipient. */
function remembering(ask: (address: string) => boolean): (address: string) => boolean {
  const answers = new Map<string, boolean>();
  return (address) => {
    let answer = answers.get(address);
    if (answer === undefined) {
      answer = ask(address);
      if (answers.size >= mostRemembered) answers.clear();
      answers.set(address, answer);
    }
    return answer;
  };
}
