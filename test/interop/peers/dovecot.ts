import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, newFolder, type Peer, program, startDaemon } from './peer.ts';

/** A Dovecot with LMTP, IMAP and POP3; every user exists, with the password `secret`. */
export interface Dovecot extends Peer {
  /** The port of IMAP. */
  readonly imap: number;
  readonly pop3: number;
  /** UNIX socket of LMTP; `port` is its TCP port. */
  readonly path: string;
}

/** Starts Dovecot. */
export async function startDovecot(): Promise<Dovecot> {
  const folder = newFolder('dovecot');
  chmodSync(folder, 0o755);
  const [port, imap, pop3] = [await freePort(), await freePort(), await freePort()];
  mkdirSync(join(folder, 'mail'));
  chmodSync(join(folder, 'mail'), 0o777);
  const config = join(folder, 'dovecot.conf');
  const path = join(folder, 'lmtp.sock');
  writeFileSync(
    config,
    `protocols = imap pop3 lmtp
listen = 127.0.0.1
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
ssl = no
disable_plaintext_auth = no
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
`,
  );
  const peer = await startDaemon(program('dovecot'), ['-F', '-c', config], { port, folder });
  return { ...peer, imap, pop3, path, [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]() };
}
