import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, newFolder, type Peer, program, startDaemon } from './peer.ts';

/** How Exim runs. */
export interface EximOptions {
  readonly relayTo: number;
  /** Lines before the sections of its configuration. */
  readonly settings?: string;
  /** What decides beside its own rule, which accepts all. */
  readonly acl?: string;
  /** Where it listens: on a free port of 127.0.0.1 by default. */
  readonly place?: { readonly host: string; readonly port: number };
  /** Routers before its own, which sends everything to `relayTo`. */
  readonly routers?: string;
}

/** Starts Exim: it relays all it takes to a loopback port. */
export async function startExim(options: EximOptions): Promise<Peer> {
  const { relayTo, settings = '', acl = '', routers = '' } = options;
  const folder = newFolder('exim');
  const { host, port } = options.place ?? { host: '127.0.0.1', port: await freePort() };
  const path = program('exim4');
  const id = (flag: string) => Number(execFileSync('id', [flag, 'Debian-exim']).toString());
  chmodSync(folder, 0o755);
  for (const name of ['spool', 'log']) {
    mkdirSync(join(folder, name));
    chownSync(join(folder, name), id('-u'), id('-g'));
  }
  const config = join(folder, 'exim.conf');
  writeFileSync(
    config,
    `exim_path = ${path}
primary_hostname = exim.example
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/spool/exim.pid
local_interfaces = ${host}
daemon_smtp_ports = ${port}
acl_smtp_rcpt = accept_all
deliver_drop_privilege = true
message_size_limit = 200M
host_lookup =
rfc1413_query_timeout = 0s
qualify_domain = exim.example
keep_environment =
${settings}
begin acl
${acl}
accept_all:
  accept
begin routers
${routers}
onward:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = onward
begin transports
onward:
  driver = smtp
  port = ${relayTo}
  allow_localhost
  hosts_avoid_tls = *
begin retry
* * F,1h,1s
`,
  );
  return startDaemon(path, ['-C', config, '-bdf', '-q5s'], { host, port, folder });
}
