import { mkdirSync } from 'node:fs';
import { openConnection } from '@posthorn/smtp/client/open-connection';
import { describe, expect, it } from 'vitest';
import { hashPassword } from '../../src/config/password.ts';
import { sendMail, startTestAgent } from './fixture.ts';
import { startSecureHop } from './secure-hop.ts';
import { tlsIn, withinTls } from './tls-in.ts';

/** A relay that logs in at one next hop and not at the other; gateway may say who submitted what, alice may not. */
async function start(known: number, unknown: number) {
  const password = await hashPassword('correct horse');
  return startTestAgent((folder) => {
    mkdirSync(folder, { recursive: true });
    const tls = tlsIn(folder);
    return {
      tls,
      authorities: tls.cert,
      relayFrom: ['127.0.0.0/8'],
      users: { gateway: { password, vouches: true }, alice: { password } },
      routes: [
        { domain: 'known.example', to: `smtp://relay:secret@127.0.0.1:${known}?tls=starttls` },
        { domain: '*', to: `smtp://127.0.0.1:${unknown}?tls=opportunistic` },
      ],
    };
  });
}

async function submit(port: number, user: string, auth: string | null | undefined): Promise<void> {
  await using connection = await openConnection({
    ...withinTls(port),
    credentials: { user, password: 'correct horse' },
  });
  const mail = auth === undefined ? {} : { auth };
  const to = ['u@known.example', 'u@unknown.example'];
  await connection.send({
    envelope: { from: 'x@example.com', to, mail },
    text: Buffer.from('Subject: x\r\n\r\nx\r\n'),
  });
}

describe('who submitted a message', () => {
  it('CMD-AUTH-16 CMD-AUTH-22 is told to the hosts that the relay logs in at, as far as the client may be believed', async () => {
    await using known = await startSecureHop({}, 'submission');
    await using unknown = await startSecureHop();
    await using test = await start(known.port, unknown.port);
    const auths: unknown[] = [];
    const after = async (count: number) => {
      await expect.poll(() => [known.taken.length, unknown.taken.length]).toEqual([count, count]);
      auths.push(known.taken.at(-1)?.transaction.mail.auth);
    };
    await submit(test.port, 'gateway', 'e+mc2@example.com');
    await after(1);
    await submit(test.port, 'gateway', null);
    await after(2);
    await submit(test.port, 'gateway', undefined);
    await after(3);
    await submit(test.port, 'alice', 'e+mc2@example.com');
    await after(4);
    const to = ['<u@known.example>', '<u@unknown.example>'];
    await sendMail(test.port, { from: '<x@example.com>', to });
    await after(5);
    expect(auths).toEqual(['e+mc2@example.com', null, null, null, null]);
    expect(unknown.taken.map(({ transaction }) => transaction.mail.auth)).toEqual(Array(5).fill(undefined));
  });
});
