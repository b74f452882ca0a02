import type { Config } from '../config/schema.ts';
import type { QueueControl } from '../control/queue-control.ts';
import { controlStore } from '../control/store-control.ts';
import { retryPolicyOf } from '../mta/agent-policy.ts';
import { expandAddresses } from '../mta/expand-addresses.ts';
import { createPolicy } from '../mta/policy.ts';
import { ReportWriter } from '../mta/report-writer.ts';
import type { QueueStore } from '../queue/queue-store.ts';

/** The control of a store under a configuration, reports of bounces included. */
export function controlOf(
  config: Config,
  { store, wake }: { readonly store: QueueStore; readonly wake: () => void },
): QueueControl {
  const policy = retryPolicyOf(config);
  const { directory } = createPolicy(config);
  const postmaster = config.postmaster ?? `postmaster@${directory.homeDomain}`;
  const now = Date.now;
  const reports = new ReportWriter({
    hostname: config.hostname,
    postmaster,
    policy,
    expand: (addresses) => expandAddresses(directory, addresses),
    newId: () => store.newId(),
    now,
  });
  return controlStore({ store, composeReports: (reported) => reports.compose(reported), policy, now, wake });
}
