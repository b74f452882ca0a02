import type { ExtensionRules } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';

/** What the server offers beyond what every one does, under a configuration. */
export function servedExtensions({ extensions }: Config): ExtensionRules {
  const { deliverBy, futureRelease, priority, noSoliciting, ownership, requireTls } = extensions;
  const seconds = (duration: number) => Math.min(Math.ceil(duration / 1000), 999_999_999);
  return {
    ...(deliverBy && { deliverBy: deliverBy.minimum === 0 ? {} : { minimum: seconds(deliverBy.minimum) } }),
    ...(futureRelease && { futureRelease: { longest: seconds(futureRelease.longest) } }),
    ...(priority && { priority: priority.policy === undefined ? {} : { policy: priority.policy } }),
    ...(noSoliciting && { noSoliciting: { refused: noSoliciting } }),
    rrvs: ownership,
    requireTls,
  };
}
