import { resolve } from 'node:path';
import type { Config } from './schema.ts';

/** Makes all relative paths of a configuration absolute, counted from a folder. */
export function anchorPaths(config: Config, folder: string): Config {
  const anchor = (path: string) => resolve(folder, path);
  const anchorTarget = (target: string) =>
    target.replace(/^(maildir|mbox):(.*)$/s, (_, kind: string, path: string) => `${kind}:${anchor(path)}`);
  const { tls } = config;
  return {
    ...config,
    dataDir: anchor(config.dataDir),
    listeners: config.listeners.map((listener) =>
      listener.role === 'lmtp' && listener.path !== undefined ? { ...listener, path: anchor(listener.path) } : listener,
    ),
    ...(tls === undefined ? {} : { tls: { cert: anchor(tls.cert), key: anchor(tls.key) } }),
    domains: Object.fromEntries(
      Object.entries(config.domains).map(([name, { deliver, ...domain }]) => [
        name,
        { ...domain, ...(deliver === undefined ? {} : { deliver: anchorTarget(deliver) }) },
      ]),
    ),
    routes: config.routes.map((route) => ({ ...route, to: anchorTarget(route.to) })),
  };
}
