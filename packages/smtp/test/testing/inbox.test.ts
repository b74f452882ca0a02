import type { Failure } from '@posthorn/smtp/failure/failure';
import { formatTranscript } from '@posthorn/smtp/testing';
import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { clientOf, openInbox } from './open-inbox.ts';

describe('an inbox', () => {
  it('hands out a mail that came before it was asked for, and one that comes later', async () => {
    const inbox = await openInbox();
    const client = clientOf(inbox);
    const [alice, bob] = [inbox.address('alice'), inbox.address('bob')];
    const later = inbox.next({ to: bob });
    await client.send({ from: 'shop@example.org', to: alice, subject: 'Grüße', text: 'one' });
    await client.send({ from: 'shop@example.org', to: bob, subject: 'Two', text: 'two' });
    expect((await later).subject).toBe('Two');
    const mail = await inbox.next({ to: alice.toUpperCase(), from: 'shop@example.org', subject: /^Gr/ });
    expect(mail).toMatchObject({
      subject: 'Grüße',
      text: 'one\n',
      from: { name: '', address: 'shop@example.org' },
      to: [{ name: '', address: alice }],
      envelope: { from: 'shop@example.org', to: [alice], login: undefined, secure: false },
    });
    expect(inbox.messages).toHaveLength(2);
    expect(inbox.all({ to: bob })).toHaveLength(1);
    inbox.clear();
    expect(inbox.messages).toEqual([]);
  });

  it('gives each address a domain of its own', async () => {
    const inbox = await openInbox();
    expect(inbox.address('alice')).toMatch(/^alice@t[0-9a-f]{12}\.test$/);
    expect(inbox.address('alice')).not.toBe(inbox.address('alice'));
  });

  it('tells who waits in vain what did arrive, and what was refused', async () => {
    const inbox = await openInbox();
    inbox.trouble({ refuse: { to: /^bob@/, status: '5.1.1', text: 'No Bob' } });
    const client = clientOf(inbox);
    await client.send({ from: 'shop@example.org', to: 'alice@a.test', subject: 'Order 7', text: 'x' });
    await client.send({ from: 'shop@example.org', to: 'bob@b.test', subject: 'Order 8', text: 'x' });
    await inbox.next();
    const wait = inbox.next({ to: 'bob@b.test', subject: /8/, timeout: 20 });
    const failure = await wait.catch((error: Failure) => error);
    expect(failure).toMatchObject({ kind: 'timeout' });
    expect((failure as Failure).message.split('\n')).toEqual([
      'No mail to bob@b.test with the subject /8/ within 20 ms; 1 arrived:',
      '  "Order 7" from <shop@example.org> to <alice@a.test> (given out already)',
      'Connections: 1; the last refusals:',
      '  550 5.1.1 No Bob',
      '  554 5.5.1 No valid recipients',
    ]);
    const never = inbox.next({ signal: AbortSignal.abort() });
    await expect(never).rejects.toMatchObject({ kind: 'aborted' });
    const closed = expect(inbox.next()).rejects.toMatchObject({ kind: 'aborted' });
    await inbox.close();
    await closed;
  });

  it.each(['starttls', 'implicit'] as const)(
    'takes mail within TLS (%s) from users with their passwords',
    async (tls) => {
      const inbox = await openInbox({ tls, users: { alice: 'secret' } });
      const secure = { tls, tlsMaterial: { ca: inbox.ca as string } };
      const client = clientOf(inbox, { ...secure, credentials: { user: 'alice', password: 'secret' } });
      const { ok } = await client.send({ from: 'alice@a.test', to: 'bob@b.test', text: 'x' });
      expect(ok).toBe(true);
      expect((await inbox.next()).envelope).toMatchObject({ login: 'alice', secure: true });
      const stranger = clientOf(inbox, secure);
      const refused = await stranger.send({ from: 'alice@a.test', to: 'bob@b.test', text: 'x' });
      expect(refused.recipients[0]?.reply?.code).toBe(530);
      const said = formatTranscript(inbox.transcript);
      expect(said).toContain('TLSv1.3');
      expect(said).toMatch(/C: AUTH PLAIN …/);
    },
  );

  it('takes mail from another program, and keeps what was said, secrets left out', async () => {
    const inbox = await openInbox({ users: { alice: 'secret' } });
    const transport = createTransport({
      host: inbox.host,
      port: inbox.port,
      name: 'app.test',
      auth: { user: 'alice', pass: 'secret', type: 'login' },
      authMethod: 'LOGIN',
    });
    await transport.sendMail({ from: 'a@a.test', to: 'b@b.test', text: 'Hello\n.\nthere' });
    const { transcript, source, envelope } = await inbox.next();
    expect(envelope).toMatchObject({ hello: 'app.test', login: 'alice', secure: false });
    const said = formatTranscript(transcript);
    expect(said).toContain('C: EHLO app.test');
    expect(said).toContain('C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: …\nS: 334 UGFzc3dvcmQ6\nC: …\nS: 235');
    expect(said).toMatch(/S: 354 .*\n\* {2}\d+ octets of text, then the dot\nS: 250 2\.0\.0 Ok: kept/);
    expect(source.toString()).toContain('Hello\r\n.\r\nthere');
  });

  it('speaks LMTP, with a reply for each recipient', async () => {
    const inbox = await openInbox({ protocol: 'lmtp' });
    inbox.trouble({ defer: { at: 'text', to: /^bob/, code: 452, status: '4.2.2' } });
    const client = clientOf(inbox, { protocol: 'lmtp' });
    const message = { from: 'a@a.test', to: ['alice@b.test', 'bob@b.test', 'carol@b.test'], text: 'x' };
    const { recipients } = await client.send(message);
    expect(recipients.map(({ kind, reply }) => [kind, reply?.code])).toEqual([
      ['accepted', 250],
      ['deferred', 452],
      ['accepted', 250],
    ]);
    expect((await inbox.next()).envelope.to).toEqual(['alice@b.test', 'carol@b.test']);
  });

  it('refuses what it has no room for, and what is too large', async () => {
    const inbox = await openInbox({ capacity: 3000, messageSize: 2500 });
    const client = clientOf(inbox);
    const send = async (octets: number) => {
      const { recipients } = await client.send({ from: 'a@a.test', to: 'b@b.test', text: 'x'.repeat(octets) });
      return recipients[0]?.status;
    };
    expect([await send(1000), await send(1500), await send(3000)]).toEqual(['2.0.0', '4.3.1', '5.3.4']);
    inbox.clear();
    expect(await send(1500)).toBe('2.0.0');
  });
});
