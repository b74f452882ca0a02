// A server on this machine alone that has everything of the protocol switched on: what the tables of the README are
// played against. It is for looking at, not for mail: it discloses more than a server should, and its password is known.
import { defineConfig } from 'posthorn/config';

const host = '127.0.0.1';

export default defineConfig({
  hostname: 'mx.example.org',
  dataDir: '.posthorn/data',
  tls: { cert: '.posthorn/cert.pem', key: '.posthorn/key.pem' },
  listeners: [
    { role: 'mx', host, port: 2525 },
    { role: 'submissions', host, port: 2465, mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5'] },
    { role: 'odmr', host, port: 2366, mechanisms: ['CRAM-MD5', 'EXTERNAL'] },
    { role: 'lmtp', host, port: 2424 },
    { role: 'mtqp', host, port: 2038 },
    { role: 'none', host, port: 2521 },
  ],
  users: {
    alice: {
      password: 'scrypt:32768:8:1:EyXPiDkYyHe4OLlqAfzaxQ==:oMtbu72EgncPIV1Wj8SQexrxQ32KiA77d1PncA3KUIE=', // sesame
      addresses: ['alice@example.org'],
      cramSecret: 'thirteen grey herons',
      networks: ['127.0.0.1'], // By EXTERNAL this machine is alice, without a password.
      atrnDomains: ['branch.example'],
      priority: 4,
    },
  },
  domains: {
    'example.org': {
      deliver: 'maildir:.posthorn/mail/{local}',
      mailboxes: ['alice', 'bob', 'cleo', 'dan', 'eve', 'postmaster'],
      mailboxSettings: {
        alice: { fullName: 'Alice Smith' },
        bob: { fullName: 'Bob Smith', ownerSince: '2020-01-01T00:00:00Z' },
        cleo: { disabled: true },
        dan: { quota: 1000 },
        eve: { messageSize: 1000 },
      },
      aliases: { team: ['alice', 'bob'] },
      forwards: {
        fay: { to: 'fay@example.net', mode: 'tell' },
        gus: { to: 'gus@example.net', mode: 'refuse' },
      },
    },
    'branch.example': { relay: true },
    'shop.example': { relay: true },
  },
  routes: [
    { domain: 'branch.example', to: 'odmr:' },
    { domain: 'shop.example', to: 'odmr:' },
  ],
  disclosure: { verify: { logins: true }, expand: { networks: ['127.0.0.1'] } },
  etrn: { networks: ['127.0.0.1'] },
  turn: true,
  terminals: { utmp: '.posthorn/utmp' }, // Nobody is logged in.
  extensions: {
    deliverBy: { minimum: '1m' },
    futureRelease: { longest: '30d' },
    priority: { policy: 'MIXER', lowest: -4, largest: { 4: '64KB' } },
    noSoliciting: ['net.example:ADV'],
    ownership: true,
    requireTls: true,
  },
});
