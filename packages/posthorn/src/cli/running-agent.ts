import { Failure } from '@posthorn/smtp/failure/failure';
import type { Config } from '../config/schema.ts';
import { type ControlClient, createControlClient } from '../control/control-client.ts';
import { controlPath } from '../control/control-path.ts';

/** The control of the agent that runs under a configuration; undefined when none does. */
export async function runningAgent({ dataDir }: Pick<Config, 'dataDir'>): Promise<ControlClient | undefined> {
  const client = createControlClient(controlPath(dataDir));
  try {
    await client.status();
    return client;
  } catch (error) {
    if (error instanceof Failure && error.kind === 'refused') return undefined;
    throw error;
  }
}
