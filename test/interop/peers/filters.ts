import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, newFolder, type Peer, program, startDaemon } from './peer.ts';

/** What a ClamAV of the tests takes for malware. */
export const malware = 'posthorn-test-malware';

/** A ClamAV whose one signature is a text, so that none has to be fetched; also on the socket `clamd.sock` of its folder. */
export async function startClamd(): Promise<Peer> {
  const [folder, port] = [newFolder('clamd'), await freePort()];
  const signatures = join(folder, 'signatures');
  mkdirSync(signatures);
  writeFileSync(join(signatures, 'test.ndb'), `Posthorn.Test:0:*:${Buffer.from(malware).toString('hex')}\n`);
  const config = join(folder, 'clamd.conf');
  writeFileSync(
    config,
    `Foreground yes
DatabaseDirectory ${signatures}
OfficialDatabaseOnly no
TCPSocket ${port}
TCPAddr 127.0.0.1
LocalSocket ${folder}/clamd.sock
StreamMaxLength 2M
User root
`,
  );
  return startDaemon(program('clamd'), ['-c', config], { port, folder });
}

/** The milter of ClamAV: it refuses what is infected, and marks what is not. */
export async function startClamavMilter(clamd: Peer): Promise<Peer> {
  const [folder, port] = [newFolder('clamav-milter'), await freePort()];
  const config = join(folder, 'clamav-milter.conf');
  writeFileSync(
    config,
    `Foreground yes
MilterSocket inet:${port}@127.0.0.1
ClamdSocket tcp:127.0.0.1:${clamd.port}
OnInfected Reject
RejectMsg Infected by %v
AddHeader Replace
LogFile ${folder}/log
User root
`,
  );
  return startDaemon(program('clamav-milter'), ['-c', config], { port, folder });
}

/** A key pair for signatures: PEM, and the record that DNS would have. */
export function signingKey(): { readonly pem: string; readonly record: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  return { pem: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(), record: `v=DKIM1; k=rsa; p=${spki}` };
}

/** An OpenDKIM that signs the mail of example.com, or verifies by a key that it has from a file. */
export async function startOpendkim(mode: 'sign' | 'verify', key: ReturnType<typeof signingKey>): Promise<Peer> {
  const [folder, port] = [newFolder('opendkim'), await freePort()];
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
    return path;
  };
  const lines =
    mode === 'sign'
      ? ['Mode s', 'Domain example.com', 'Selector test', `KeyFile ${file('key.pem', key.pem)}`]
      : [
          'Mode v',
          `InternalHosts ${file('internal', '192.0.2.1\n')}`,
          `TestPublicKeys ${file('keys', `test._domainkey.example.com ${key.record}\n`)}`,
          'AuthservID mx.example.org',
          'AlwaysAddARHeader yes',
        ];
  const config = file(
    'opendkim.conf',
    [
      ...lines,
      `Socket inet:${port}@127.0.0.1`,
      'Canonicalization relaxed/simple',
      'Syslog no',
      'RequireSafeKeys no',
      '',
    ].join('\n'),
  );
  return startDaemon(program('opendkim'), ['-f', '-x', config], { port, folder });
}

/** An Rspamd that knows nothing but the field `X-Test`: it judges as that says, and tells what it was told. */
export async function startRspamd(): Promise<Peer> {
  const [folder, port] = [newFolder('rspamd'), await freePort()];
  chmodSync(folder, 0o777);
  writeFileSync(join(folder, 'tld.inc'), 'com\norg\n');
  writeFileSync(
    join(folder, 'rules.lua'),
    `local function score(name, word, weight)
  rspamd_config:register_symbol({ name = name, score = weight, group = 'test', callback = function(task)
    local said = task:get_header('X-Test')
    return said and said:find(word, 1, true) ~= nil
  end })
end
score('TEST_REJECT', 'reject', 200)
score('TEST_SUBJECT', 'subject', 60)
score('TEST_MARK', 'mark', 35)
score('TEST_GREY', 'grey', 25)
rspamd_config:register_symbol({ name = 'TEST_TOLD', type = 'postfilter', callback = function(task)
  local from = task:get_from('smtp')
  local words = { tostring(task:get_ip()), from and from[1] and from[1].addr or '-', #(task:get_recipients('smtp') or {}),
    task:get_helo() or '-', task:get_queue_id() or '-', task:get_size() }
  task:set_milter_reply({
    add_headers = { ['X-Told'] = table.concat(words, ' ') },
    remove_headers = { ['X-Old'] = 0 },
  })
end })
`,
  );
  const config = join(folder, 'rspamd.conf');
  writeFileSync(
    config,
    `options {
  pidfile = "${folder}/pid"; filters = ""; url_tld = "${folder}/tld.inc"; local_addrs = []; tempdir = "${folder}";
  control_socket = "${folder}/control mode=0600"; cache_file = "${folder}/cache"; hs_cache_dir = "${folder}";
  dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }
}
logging { type = "console"; level = "warning"; }
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; mime = true; }
lua = "${folder}/rules.lua";
actions { reject = 100; rewrite_subject = 50; add_header = 30; greylist = 20; subject = "[spam] %s"; }
modules { path = []; }
`,
  );
  return startDaemon(program('rspamd'), ['-f', '-i', '-c', config, '-u', 'nobody', '-g', 'nogroup'], { port, folder });
}
