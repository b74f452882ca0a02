import type { ExtensionRules } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';
import type { CheckpointLimits } from '../queue/checkpoint.ts';

/** What the server offers beyond what every one does, under a configuration. */
export function servedExtensions({ extensions, listeners, terminals }: Config): ExtensionRules {
  const { deliverBy, futureRelease, priority, noSoliciting, ownership, requireTls, checkpoint } = extensions;
  const seconds = (duration: number) => Math.min(Math.ceil(duration / 1000), 999_999_999);
  return {
    ...(deliverBy && { deliverBy: deliverBy.minimum === 0 ? {} : { minimum: seconds(deliverBy.minimum) } }),
    ...(futureRelease && { futureRelease: { longest: seconds(futureRelease.longest) } }),
    ...(priority && { priority: priority.policy === undefined ? {} : { policy: priority.policy } }),
    ...(noSoliciting && { noSoliciting: { refused: noSoliciting } }),
    rrvs: ownership,
    requireTls,
    checkpoint: checkpoint.transactions > 0,
    terminals: terminals !== undefined,
    // To keep what nobody can ask for would be of no use.
    tracking: listeners.some(({ role }) => role === 'mtqp'),
  };
}

/** What is kept of transactions that were cut off, under a configuration. */
export function checkpointLimits({ extensions }: Config): CheckpointLimits {
  const { keep, transactions, size } = extensions.checkpoint;
  return { time: keep, count: transactions, octets: size };
}
