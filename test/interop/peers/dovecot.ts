import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, newFolder, type Peer, program, startDaemon } from './peer.ts';

/** A Dovecot with LMTP, IMAP, POP3 and perhaps submission; every user exists, with the password `secret`. */
export interface Dovecot extends Peer {
  /** The port of IMAP. */
  readonly imap: number;
  readonly pop3: number;
  /** UNIX socket of LMTP; `port` is its TCP port. */
  readonly path: string;
  /** The port of submission; 0 where there is none. */
  readonly submission: number;
  /** UNIX socket where clients of its authentication service ask. */
  readonly auth: string;
}

/** Submission in clear text, for logins alone; what is handed in goes to a loopback port. */
function submissionLines(port: number, relayTo: number): string {
  return `hostname = dovecot.example
submission_relay_host = 127.0.0.1
submission_relay_port = ${relayTo}
service submission-login {
  chroot =
  inet_listener submission {
    address = 127.0.0.1
    port = ${port}
  }
}
`;
}

/** Starts Dovecot; it has submission if it is told where to relay to. */
export async function startDovecot({
  relayTo,
  mechanisms = 'plain',
}: {
  readonly relayTo?: number;
  /** As its configuration has them, in lower case. */
  readonly mechanisms?: string;
} = {}): Promise<Dovecot> {
  const folder = newFolder('dovecot');
  chmodSync(folder, 0o755);
  const [port, imap, pop3] = [await freePort(), await freePort(), await freePort()];
  const submission = relayTo === undefined ? 0 : await freePort();
  mkdirSync(join(folder, 'mail'));
  chmodSync(join(folder, 'mail'), 0o777);
  const config = join(folder, 'dovecot.conf');
  const path = join(folder, 'lmtp.sock');
  writeFileSync(
    config,
    `protocols = imap pop3 lmtp${relayTo === undefined ? '' : ' submission'}
listen = 127.0.0.1
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = ${mechanisms}
mail_location = maildir:${folder}/mail/%n
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${folder}/mail/%n allow_all_users=yes
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
  }
  unix_listener ${path} {
    mode = 0666
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = ${imap}
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    address = 127.0.0.1
    port = ${pop3}
  }
  inet_listener pop3s {
    port = 0
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
protocol lmtp {
  mail_max_userip_connections = 100
  auth_username_format = %n
}
${relayTo === undefined ? '' : submissionLines(submission, relayTo)}`,
  );
  const peer = await startDaemon(program('dovecot'), ['-F', '-c', config], { port, folder });
  const auth = join(folder, 'run', 'auth-client');
  return { ...peer, imap, pop3, path, submission, auth, [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]() };
}
