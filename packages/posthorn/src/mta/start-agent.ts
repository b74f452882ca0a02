import { join } from 'node:path';
import { createServer } from '@posthorn/smtp/server';
import { MailboxUsage } from '../agents/mailbox-usage.ts';
import type { Config } from '../config/schema.ts';
import type { Entry } from '../directory/directory.ts';
import { createStubResolver } from '../dns/stub-resolver.ts';
import { openSpool } from '../spool/open-spool.ts';
import { retryPolicyOf, schedulerLimitsOf } from './agent-policy.ts';
import { createAgents } from './agents.ts';
import { Checkpoints } from './checkpoints.ts';
import { ContentFilters } from './content-filters.ts';
import { createLogins, tokenRefusalOf } from './create-logins.ts';
import { createDmarcReports } from './dmarc-reports.ts';
import { expandAddresses } from './expand-addresses.ts';
import { Fetching } from './fetching.ts';
import { openForwardedSenders } from './forwarded-senders.ts';
import { createHandlers } from './handlers.ts';
import { Ledger } from './ledger.ts';
import { listenAll } from './listen-all.ts';
import { listenLocally } from './listen-locally.ts';
import { Log } from './log.ts';
import { LoginRates } from './login-rates.ts';
import { readLoginSecret } from './login-secret.ts';
import { fieldsThatNeedRestart } from './needs-restart.ts';
import { createNoMailServer } from './no-mail-server.ts';
import { createOnDemandServices } from './on-demand-services.ts';
import { openStrangers } from './open-strangers.ts';
import { openStsPolicies } from './open-sts-policies.ts';
import { openTlsReports } from './open-tls-reports.ts';
import { createSigner } from './outgoing-signer.ts';
import { createPolicy, ownAddresses } from './policy.ts';
import { programRulesOf } from './program-rules.ts';
import { readPem, tlsOf } from './read-tls.ts';
import { ReportWriter } from './report-writer.ts';
import type { AgentOptions, RunningAgent, RunningListener } from './running-agent.ts';
import { Scheduler } from './scheduler.ts';
import { SenderChecks } from './sender-checks.ts';
import { checkpointLimits, servedExtensions } from './served-extensions.ts';
import { TerminalMail } from './terminal-mail.ts';
import { createTrackingService } from './tracking-service.ts';
import { Wishes } from './wishes.ts';
import { withContentFilters } from './with-content-filters.ts';
import { withStrangers } from './with-strangers.ts';
import { withTally } from './with-tally.ts';

const defaultGrace = 10_000;
const mostHops = 100;

/** Puts the agent together and runs it. Rejects with Failure `storage`, `tls` or `invalid`, or when it cannot listen. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { config, now = Date.now } = options;
  const log = new Log(options.log);
  const tellUsers = (mistakes: readonly string[]) => log.error({ mistakes }, 'a file of users is faulty');
  let policy = createPolicy(config, tellUsers);
  const programs = programRulesOf(config);
  const forwarded = openForwardedSenders(config, { directory: () => policy.directory, now });
  const resolver = createStubResolver(config.dns);
  const checkpointing = checkpointLimits(config);
  const mostTracks = config.extensions.tracking.messages;
  const store = await openSpool({ path: join(config.dataDir, 'spool'), now, checkpoints: checkpointing, mostTracks });
  const { hostname } = config;
  const retry = retryPolicyOf(config);
  const usage = new MailboxUsage(now);
  const terminalMail = config.terminals && new TerminalMail(config.terminals, () => policy.directory);
  const parts = { config, resolver, ownAddresses: ownAddresses(), now, store, usage, programs, terminalMail };
  const authorities = config.authorities === undefined ? undefined : readPem(config.authorities);
  const sts = await openStsPolicies({ config, resolver, authorities, log, now });
  const tlsReports = await openTlsReports({
    config,
    resolver,
    authorities,
    store,
    log,
    now,
    wake: () => scheduler.wake(),
  });
  const sign = createSigner({ hostname, policy: () => policy });
  const agents = createAgents({ ...parts, sign, sts, tlsReporting: tlsReports, policy: () => policy });
  const postmaster = config.postmaster ?? `postmaster@${policy.directory.homeDomain}`;
  const expand = (addresses: readonly string[]) => expandAddresses(policy.directory, addresses);
  const reports = new ReportWriter({ hostname, postmaster, policy: retry, newId: () => store.newId(), now, expand });
  const scheduler = new Scheduler({
    store,
    route: (address, target) => policy.route(address, target),
    agentFor: agents.for,
    reports,
    policy: retry,
    limits: schedulerLimitsOf(config),
    log,
    now,
    chance: Math.random,
  });
  const { loginMessages: messages, loginRecipients: recipients } = config.limits;
  const { logins, ...loggingIn } = createLogins(config, { policy: () => policy, log, now });
  const rates = new LoginRates({ messages, recipients }, now);
  const wishes = new Wishes({
    extensions: config.extensions,
    policy: () => policy,
    store,
    isCrowded: () => scheduler.isFull,
    log,
    now,
  });
  const checkpoints = new Checkpoints(store, log);
  const dmarcReports = createDmarcReports({
    config,
    hostname,
    postmaster,
    store,
    lookups: resolver,
    log,
    now,
    newId: () => store.newId(),
    wake: () => scheduler.wake(),
  });
  const senders = new SenderChecks({
    hostname,
    policy: () => policy,
    resolver,
    now,
    observe: (checked, { clientAddress }) => dmarcReports?.note(checked, clientAddress),
  });
  const contentFilters = config.contentFilters.length === 0 ? undefined : new ContentFilters({ config, store, log });
  const isRelayClient = (address: string) => policy.isRelayClient(address);
  const { strangers, ...judging } = await openStrangers({ config, resolver, log, now, isRelayClient });
  const services = createOnDemandServices({
    config,
    sign,
    policy: () => policy,
    hostname,
    store,
    ledger: new Ledger({ store, reports, policy: retry, log, now, chance: Math.random }),
    log,
    now,
    wake: () => scheduler.wake(),
    writtenDown: (isWanted) => scheduler.writtenDown(isWanted),
    retryHosts: () => agents.retryHosts(),
  });
  const ways = { users: policy.users, logins: config.logins };
  const server = createServer({
    tokens: tokenRefusalOf(config),
    secret: await readLoginSecret(config.dataDir),
    hostname,
    extensions: servedExtensions(config),
    now,
    handlers: withTally(
      withContentFilters(
        withStrangers(
          {
            ...services.handlers,
            ...createHandlers({
              policy: () => policy,
              logins,
              rates,
              resolver,
              hostname,
              store,
              usage,
              expands: config.disclosure.expand !== undefined,
              scheduler,
              reports,
              wishes,
              checkpoints,
              terminalMail,
              senders,
              contentFilters,
              forwarded,
              judgementOf: (session) => strangers.judgementOf(session),
              log,
              now,
              mostHops,
              judge: options.judge,
            }),
          },
          { strangers, log, now },
        ),
        contentFilters,
      ),
    ),
    limits: serverLimits(config),
    onError: (error) => log.error({ err: error }, 'a handler failed'),
    ...tlsOf(config),
  });

  const tracking = createTrackingService({
    hostname,
    policy: retry,
    isExpanded: (address) => isExpanded(policy.directory.lookup(address)),
    tracks: store.tracks,
    limits: config.limits,
    log,
    now,
    ...tlsOf(config),
  });

  const noMail = createNoMailServer({ hostname, limits: config.limits, log });

  const fetching = new Fetching({
    sources: config.fetch,
    name: hostname,
    accept: (stream, tally) => server.acceptStream(stream, { role: 'mx', state: tally }),
    log,
    ...(config.authorities === undefined ? {} : { tlsMaterial: { ca: readPem(config.authorities) } }),
  });

  let closing: Promise<void> | undefined;
  async function close(grace: number): Promise<void> {
    await Promise.all([server.close({ grace }), tracking.close(grace), noMail.close({ grace })]);
    await Promise.all([fetching.close(), services.close()]);
    loggingIn.close();
    await dmarcReports?.close();
    await scheduler.stop(grace);
    await checkpoints.close();
    await judging.close();
    await agents.close();
    await sts?.close();
    await tlsReports?.close();
    await store.close();
  }

  let listeners: readonly RunningListener[];
  try {
    listeners = await listenAll({ config, ways, server, tracking, noMail });
    if (options.submissionSocket !== undefined) {
      await listenLocally(server, options.submissionSocket, { ...config, users: policy.users });
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  scheduler.wake();
  fetching.start();
  void tlsReports?.send();
  dmarcReports?.start();

  const end = (grace: number): Promise<void> => {
    closing ??= close(grace);
    return closing;
  };
  return {
    listeners,
    store,
    inHand: () => scheduler.size,
    sessions: () => server.sessions + tracking.sessions + noMail.sessions,
    wake() {
      agents.retryHosts();
      scheduler.wake();
    },
    fetch: (request, onTurn) => fetching.fetch(request, onTurn),
    ...(terminalMail === undefined ? {} : { terminals: terminalMail.terminals }),
    reload(next) {
      const nextPolicy = createPolicy(next, tellUsers);
      const { tls } = tlsOf(next);
      if (tls !== undefined) {
        server.reload({ tls });
        tracking.reload({ tls });
      }
      policy = nextPolicy;
      return { needsRestart: fieldsThatNeedRestart(config, next) };
    },
    close: ({ grace = defaultGrace } = {}) => end(grace),
    [Symbol.asyncDispose]: () => end(defaultGrace),
  };
}

function isExpanded(entry: Entry): boolean {
  return entry.kind === 'list' || (entry.kind === 'alias' && entry.targets.length > 1);
}

function serverLimits({ limits }: Config) {
  const { connections, connectionsPerAddress, messageSize, recipients, errors, errorDelay, sessionTime, idleTime } =
    limits;
  return { connections, connectionsPerAddress, messageSize, recipients, errors, errorDelay, sessionTime, idleTime };
}
