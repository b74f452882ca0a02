import { parseDsn } from '@posthorn/smtp/report/parse-dsn';
import {
  type CertificateFlaw,
  type DropPoint,
  formatTranscript,
  type Inbox,
  type Trouble,
} from '@posthorn/smtp/testing';
import { describe, expect, it } from 'vitest';
import { clientOf, openInbox } from './open-inbox.ts';

const message = { from: 'shop@a.test', to: ['ann@b.test', 'bob@b.test', 'eve@b.test'], text: 'x' };

/** What becomes of a message on a connection of its own, recipient by recipient. */
async function outcomes(inbox: Inbox, change: Partial<typeof message> = {}): Promise<string[]> {
  const { recipients } = await clientOf(inbox).send({ ...message, ...change });
  return recipients.map(({ phase, reply, failure }) =>
    `${phase} ${reply?.code ?? failure?.kind} ${reply?.status ?? ''}`.trim(),
  );
}

const accepted = 'text 250 2.0.0';

describe('trouble', () => {
  it.each<[Trouble, string[]]>([
    [{ refuse: { to: 'BOB@b.test', code: 550, status: '5.1.1' } }, [accepted, 'rcpt 550 5.1.1', accepted]],
    [{ refuse: { from: /^shop@/ } }, Array(3).fill('mail 550 5.7.1')],
    [{ refuse: { from: 'shop@a.test', to: /^(ann|eve)/, code: 553 } }, ['rcpt 553 5.0.0', accepted, 'rcpt 553 5.0.0']],
    [{ refuse: { at: 'text', status: '5.6.0', text: 'Spam' } }, Array(3).fill('text 550 5.6.0')],
    [{ refuse: { at: 'connect', code: 554 } }, Array(3).fill('greeting 554')],
    [{ defer: { at: 'data' } }, Array(3).fill('text 451 4.3.0')],
    [{ refuse: { at: 'text', from: 'somebody@a.test' } }, Array(3).fill(accepted)],
  ])('refuses or defers as the rule says: %j', async (rule, expected) => {
    const inbox = await openInbox();
    inbox.trouble(rule);
    expect(await outcomes(inbox)).toEqual(expected);
  });

  it('comes as often as it is said, is seen in the transcript, and ends', async () => {
    const inbox = await openInbox();
    inbox.trouble({ defer: { to: /./, status: '4.7.1', text: 'Greylisted' }, times: 3 }, { refuse: { nth: 2 } });
    expect(await outcomes(inbox)).toEqual(Array(3).fill('rcpt 451 4.7.1'));
    expect(await outcomes(inbox)).toEqual([accepted, 'rcpt 550 5.7.1', accepted]);
    expect(formatTranscript(inbox.transcript)).toContain('*  trouble at rcpt: 451 4.7.1 Greylisted');
    inbox.trouble();
    expect(await outcomes(inbox)).toEqual(Array(3).fill(accepted));
  });

  it('takes its chance from the seed', async () => {
    const series = async (seed: number) => {
      const inbox = await openInbox({ seed });
      inbox.trouble({ refuse: { at: 'mail' }, chance: 0.5 });
      const client = clientOf(inbox);
      const results = [];
      for (let turn = 0; turn < 24; turn += 1) results.push((await client.send(message)).ok);
      return results.map((ok) => (ok ? '+' : '-')).join('');
    };
    const first = await series(7);
    expect(first).toMatch(/\+.*-|-.*\+/);
    expect(await series(7)).toBe(first);
    expect(await series(8)).not.toBe(first);
  });

  it.each<[DropPoint, string, number]>([
    ['connect', 'greeting lost', 0],
    ['after-hello', 'hello lost', 0],
    ['after-mail', 'mail lost', 0],
    ['after-rcpt', 'rcpt lost', 0],
    ['after-data', 'text lost', 0],
    ['mid-text', 'text lost', 0],
    ['after-text', 'text lost', 1],
  ])('loses the connection: %s', async (drop, outcome, kept) => {
    const inbox = await openInbox();
    inbox.trouble({ drop });
    const [first] = await outcomes(inbox, { to: ['ann@b.test'] });
    expect(first).toBe(outcome);
    expect(inbox.messages).toHaveLength(kept);
    const said = inbox.transcript.map(({ by, text }) => `${by} ${text}`);
    expect(said).toContain(`inbox trouble: dropped, ${drop}`);
    expect(said.slice(said.indexOf(`inbox trouble: dropped, ${drop}`)).filter((line) => /^server/.test(line))).toEqual(
      [],
    );
  });

  it('lets replies drip, and delays them', async () => {
    const inbox = await openInbox();
    inbox.trouble({ drip: { octetsPerSecond: 20_000 } }, { delay: { at: 'mail', milliseconds: 30 } });
    expect(await outcomes(inbox)).toEqual(Array(3).fill(accepted));
    const mail = await inbox.next();
    expect(formatTranscript(mail.transcript)).toContain('*  trouble: 20000 octets in a second');
    expect(formatTranscript(mail.transcript)).toMatch(
      /C: MAIL [^\0]*\* {2}trouble at mail: 30 ms of delay\nS: 250 2\.1\.0/,
    );
    inbox.trouble({ drip: { octetsPerSecond: 5 } });
    const { recipients } = await clientOf(inbox, { timeouts: { greeting: 60 } }).send(message);
    expect(recipients[0]).toMatchObject({ phase: 'greeting', failure: { kind: 'timeout' } });
  });

  it.each<[CertificateFlaw, RegExp]>([
    ['name', /does not match/],
    ['expired', /expired/],
    ['untrusted', /certificate/],
  ])('shows a bad certificate (%s), and then a good one', async (badCertificate, text) => {
    const inbox = await openInbox({ tls: 'starttls' });
    const options = { tls: 'starttls', tlsMaterial: { ca: inbox.ca as string } } as const;
    inbox.trouble({ badCertificate, times: 1 });
    const [recipient] = (await clientOf(inbox, options).send(message)).recipients;
    expect(recipient).toMatchObject({ phase: 'tls', failure: { kind: 'tls' } });
    expect(recipient?.failure?.message).toMatch(text);
    expect((await clientOf(inbox, options).send(message)).ok).toBe(true);
  });

  it('lets so many messages in at a time', async () => {
    const inbox = await openInbox();
    inbox.trouble({ rate: { messages: 2, milliseconds: 60_000 } });
    const results = [];
    for (let turn = 0; turn < 3; turn += 1) results.push((await outcomes(inbox))[0]);
    expect(results).toEqual([accepted, accepted, 'mail 451 4.7.1']);
  });

  it('reports a failure behind the acceptance, here or to another server', async () => {
    const [inbox, other] = [await openInbox(), await openInbox()];
    inbox.trouble(
      { lateBounce: { to: 'bob@b.test', after: 5, status: '5.2.2', text: 'Mailbox full' }, times: 1 },
      { lateBounce: { port: other.port } },
    );
    expect(await outcomes(inbox)).toEqual(Array(3).fill(accepted));
    const report = await inbox.next({ to: 'shop@a.test' });
    expect(report.envelope).toMatchObject({ from: '', to: ['shop@a.test'] });
    expect(report.text).toContain('Mailbox full');
    const { recipients } = parseDsn(report.source)?.report ?? { recipients: [] };
    expect(recipients).toMatchObject([{ finalRecipient: 'bob@b.test', action: 'failed', status: '5.2.2' }]);
    await outcomes(inbox, { to: ['ann@b.test'] });
    expect(await other.next()).toMatchObject({ envelope: { from: '', to: ['shop@a.test'] } });
    expect(inbox.all({ to: 'shop@a.test' })).toHaveLength(1);
  });

  it.each<[Trouble, RegExp]>([
    [{ refuse: { code: 250 } }, /250 refuses nothing/],
    [{ defer: { status: '5.1.1' } }, /5\.1\.1 is of another class/],
    [{ drip: { octetsPerSecond: 0 } }, /drip/],
    [{ drop: 'connect', chance: 2 }, /chance/],
    [{ drop: 'connect', times: 0 }, /times/],
  ])('that could never be is refused: %j', async (rule, text) => {
    const inbox = await openInbox();
    expect(() => inbox.trouble(rule)).toThrow(text);
  });
});
