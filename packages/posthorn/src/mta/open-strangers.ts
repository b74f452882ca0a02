import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { openGreylist } from '../filters/stored-greylist.ts';
import { Strangers } from '../filters/strangers.ts';
import type { Log } from './log.ts';

/** What the judging of strangers works with in an agent. */
interface StrangersParts {
  readonly config: Config;
  readonly resolver: ConstructorParameters<typeof Strangers>[0]['resolver'];
  readonly log: Log;
  readonly now: () => number;
  readonly isRelayClient: (address: string) => boolean;
}

/** Those that judge strangers, and how that ends. */
export interface OpenStrangers {
  readonly strangers: Strangers;
  close(): Promise<void>;
}

/** Opens what is kept of strangers, and looks at the lists that are asked about them; no list makes the start wait. */
export async function openStrangers({ config, log, now, ...parts }: StrangersParts): Promise<OpenStrangers> {
  const { filters: rules, hostname, dataDir } = config;
  const onError = (error: unknown) => log.error({ err: error }, 'what greylisting knows cannot be kept');
  const path = join(dataDir, 'greylist');
  const greylist = rules.greylist && (await openGreylist(rules.greylist, { path, now, onError }));
  const strangers = new Strangers({ ...parts, rules, hostname, greylist, now });
  void strangers.prove().then((useless) => {
    for (const list of useless) log.warn({ list }, 'a list does not answer as lists do, and is not asked');
  });
  return { strangers, close: async () => greylist?.close() };
}
