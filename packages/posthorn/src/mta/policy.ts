import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { networkMatcher } from '@posthorn/smtp/address/network';
import { remembering } from '@posthorn/smtp/address/remembering';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { Reply } from '@posthorn/smtp/reply/reply';
import { formatMistake } from '../config/mistake.ts';
import { readAliases } from '../config/read-aliases.ts';
import type { Config } from '../config/schema.ts';
import { readSigningKeys, type SigningKeys } from '../config/signing-keys.ts';
import { createDirectory, type Directory } from '../directory/directory.ts';
import type { Expansion } from '../directory/expand-aliases.ts';
import { UserTable } from '../logins/user-table.ts';
import type { Recipient } from '../queue/envelope.ts';
import type { NextHop } from '../queue/next-hop.ts';
import { parseDomainPattern } from '../routing/domain-pattern.ts';
import { createDomainTls, type DomainTls } from '../routing/outbound-tls.ts';
import { createRouter, type RouterConfig } from '../routing/router.ts';
import { refuseSize } from './admit-mailbox.ts';
import { createGateways, type FindGateway, withGatewayMailboxes } from './batch-gateways.ts';
import { type Consent, createConsent } from './consent.ts';
import { createDisclosure, type Disclosure } from './disclosure.ts';
import { type Judge, judgeByMarks } from './judge.ts';
import { createLists, type FindList, withListMembers } from './lists.ts';
import { locateAddress } from './locate-address.ts';
import { createVacations, type FindVacation } from './vacations.ts';

/** What a reload replaces: who is who, where mail goes, who may do what. */
export interface Policy {
  readonly directory: Directory;
  readonly findList: FindList;
  /** Finds what a filter has marked as hostile; undefined when there are no marks. */
  readonly judge: Judge | undefined;
  readonly findGateway: FindGateway;
  readonly findVacation: FindVacation;
  readonly userTable: UserTable;
  /** All of them, those of files too. */
  readonly users: Config['users'];
  /** Domains that mail is relayed to. */
  readonly relayDomains: ReadonlySet<string>;
  readonly consent: Consent;
  readonly disclosure: Disclosure;
  readonly submission: Config['submission'];
  readonly routes: Config['routes'];
  readonly mailAuthentication: Config['mailAuthentication'];
  /** The keys that mail is signed and sealed with. */
  readonly keys: Pick<SigningKeys, 'sign' | 'seal'>;
  /** How mail to a domain is sent. */
  tlsFor(domain: string): DomainTls;
  /** `target`: where the mail goes instead of where the address leads. */
  route(address: string, target?: string): NextHop;
  isRelayClient(address: string): boolean;
  /** The refusal of a message that none of its recipients takes for its size (RFC 3463 §3.3). */
  refuseSize(recipients: readonly Pick<Recipient, 'address' | 'target'>[], size: number): Reply | undefined;
}

/** IP addresses of this host's interfaces. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}

/** Makes the policy of a configuration; `tell` hears of files of users that are faulty later. Throws Failure `invalid` for what its check would have found. */
export function createPolicy(config: Config, tell: (mistakes: readonly string[]) => void = () => {}): Policy {
  const own = ownAddresses();
  const { domains, mistakes } = readAliases(config);
  const keys = readSigningKeys(config);
  const first = mistakes[0] ?? keys.mistakes[0];
  if (first !== undefined) throw new Failure('invalid', formatMistake(first));
  const { hostname, routes, submission, postmaster } = config;
  const userTable = new UserTable(config, tell);
  const withMembers = withListMembers(domains);
  const directory = createDirectory({
    hostname,
    ownAddresses: own,
    domains: withGatewayMailboxes(withMembers),
    ...(postmaster === undefined ? {} : { postmaster }),
  });
  const router = createRouter({
    localDomains: localDomainsOf(config, directory),
    routes,
    ownAddresses: own,
    homeDomain: directory.homeDomain,
    locate: (address) => locateAddress(directory, config, address),
  });
  const findList = createLists({ domains, withMembers, directory });
  const findGateway = createGateways(domains, directory);
  const findVacation = createVacations({ domains }, directory);
  const settings = Object.values(domains).flatMap(({ mailboxSettings }) => Object.values(mailboxSettings));
  const boundsSize = settings.some(({ messageSize }) => messageSize !== undefined);
  const routeAddress = (address: string): NextHop => {
    if (findGateway(address) !== undefined) return { kind: 'batch', key: `batch:${address}` };
    const list = findList(address);
    return list === undefined ? router.route(address) : { kind: 'list', key: `list:${list.address}` };
  };
  const remembered = remembering(routeAddress, { most: mostRemembered });
  return {
    directory: {
      ...directory,
      lookup: remembering(directory.lookup, { most: mostRemembered }),
      expand: remembering(directory.expand, { most: mostRemembered, isWorth: isShort }),
    },
    findList,
    judge: judgeByMarks(config.hostile),
    findGateway,
    findVacation,
    userTable,
    get users() {
      return userTable.users;
    },
    relayDomains: new Set(Object.keys(config.domains).filter((name) => config.domains[name]?.relay)),
    consent: createConsent(config, directory),
    disclosure: createDisclosure(config, directory),
    submission,
    routes,
    mailAuthentication: config.mailAuthentication,
    keys,
    tlsFor: createDomainTls(config.outboundTls),
    route: (address, target) => (target === undefined ? remembered(address) : router.route(address, target)),
    refuseSize(recipients, size) {
      if (!boundsSize) return undefined;
      return refuseSize(
        recipients.map(({ address, target }) => router.route(address, target)),
        size,
      );
    },
    isRelayClient: networkMatcher(config.relayFrom),
  };
}

/** Domains with mailboxes or numbers; the others only pass through. */
function localDomainsOf(config: Config, directory: Directory): RouterConfig['localDomains'] {
  const local = Object.entries(config.domains).flatMap(([name, { deliver, gateway, caseSensitive, relay }]) => {
    const target = deliver ?? gateway?.deliver;
    if (target === undefined) return [];
    return [[name, { deliver: target, caseSensitive, relay, ...(gateway && { gateway: gateway.deliver }) }] as const];
  });
  return Object.fromEntries([...local, ...postmasterDomain(config, directory)]);
}

/** Mail for the postmaster of a host without mailboxes is kept in its data, where no route takes it: it must never be lost. */
function postmasterDomain({ dataDir, domains, routes }: Config, { homeDomain }: Directory) {
  const isRouted = routes.some(({ domain }) => parseDomainPattern(domain)?.(homeDomain));
  if (isRouted || homeDomain in domains) return [];
  return [[homeDomain, { deliver: `maildir:${join(dataDir, 'postmaster')}` }] as const];
}

const mostRemembered = 10_000;

/** What an alias of thousands stands for is not kept for each way to write it. */
function isShort(expansion: Expansion): boolean {
  return expansion.kind === 'recipients' && expansion.recipients.length < 10;
}
