import { resolve } from 'node:path';
import type { Config } from './schema.ts';

/** Makes all relative paths of a configuration absolute, counted from a folder. */
export function anchorPaths(config: Config, folder: string): Config {
  const anchor = (path: string) => resolve(folder, path);
  const anchorTarget = (target: string) =>
    target.replace(/^(maildir|mbox):(.*)$/s, (_, kind: string, path: string) => `${kind}:${anchor(path)}`);
  const { tls, submission, terminals } = config;
  return {
    ...config,
    dataDir: anchor(config.dataDir),
    listeners: config.listeners.map((listener) =>
      listener.role === 'lmtp' && listener.path !== undefined ? { ...listener, path: anchor(listener.path) } : listener,
    ),
    ...(config.authorities === undefined ? {} : { authorities: anchor(config.authorities) }),
    ...(tls === undefined ? {} : { tls: anchorTls(tls, anchor) }),
    ...(submission.socket === undefined ? {} : { submission: { ...submission, socket: anchor(submission.socket) } }),
    ...(terminals === undefined ? {} : { terminals: { ...terminals, utmp: anchor(terminals.utmp) } }),
    domains: Object.fromEntries(
      Object.entries(config.domains).map(([name, { deliver, gateway, ownersFile, ...domain }]) => [
        name,
        {
          ...domain,
          aliasFiles: domain.aliasFiles.map(anchor),
          lists: Object.fromEntries(
            Object.entries(domain.lists).map(([list, { file, ...rest }]) => [
              list,
              file === undefined ? rest : { ...rest, file: anchor(file) },
            ]),
          ),
          ...(ownersFile === undefined ? {} : { ownersFile: anchor(ownersFile) }),
          ...(deliver === undefined ? {} : { deliver: anchorTarget(deliver) }),
          ...(gateway === undefined ? {} : { gateway: { ...gateway, deliver: anchorTarget(gateway.deliver) } }),
        },
      ]),
    ),
    odmr: onDemandOf(config, anchor),
    userFiles: config.userFiles.map(anchor),
    logins: loginsOf(config, anchor),
    mailAuthentication: mailAuthenticationOf(config, anchor),
    fetch: config.fetch.map(({ passwordFile, ...source }) =>
      passwordFile === undefined ? source : { ...source, passwordFile: anchor(passwordFile) },
    ),
    routes: config.routes.map((route) => ({ ...route, to: anchorTarget(route.to) })),
  };
}

function loginsOf({ logins }: Config, anchor: (path: string) => string): Config['logins'] {
  const { dovecot, oauth } = logins;
  const file = oauth?.clientSecretFile;
  return {
    ...logins,
    ...(dovecot === undefined ? {} : { dovecot: anchor(dovecot) }),
    ...(oauth === undefined || file === undefined ? {} : { oauth: { ...oauth, clientSecretFile: anchor(file) } }),
  };
}

function onDemandOf({ odmr }: Config, anchor: (path: string) => string): Config['odmr'] {
  return odmr.domainsFile === undefined ? odmr : { ...odmr, domainsFile: anchor(odmr.domainsFile) };
}

function mailAuthenticationOf(
  { mailAuthentication }: Config,
  anchor: (path: string) => string,
): Config['mailAuthentication'] {
  const { dkim, arc } = mailAuthentication;
  const anchorKey = <Key extends { readonly key: string }>(key: Key): Key => ({ ...key, key: anchor(key.key) });
  return {
    ...mailAuthentication,
    dkim: { ...dkim, sign: dkim.sign.map(anchorKey) },
    arc: { ...arc, ...(arc.seal === undefined ? {} : { seal: anchorKey(arc.seal) }) },
  };
}

function anchorTls({ names, ...tls }: NonNullable<Config['tls']>, anchor: (path: string) => string) {
  const anchored = <T extends { cert: string; key: string }>(files: T): T => ({
    ...files,
    cert: anchor(files.cert),
    key: anchor(files.key),
  });
  if (names === undefined) return anchored(tls);
  const entries = Object.entries(names).map(([name, files]) => [name, anchored(files)] as const);
  return { ...anchored(tls), names: Object.fromEntries(entries) };
}
