import type { MailParameters, Notify } from '@posthorn/smtp/command/parameters';
import type { Action } from '@posthorn/smtp/report/delivery-report';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailIn, type TestAgent } from '../../packages/posthorn/test/mta/fixture.ts';
import { give, type HostName, Parts, placeOf, reportIn, startNames, startPosthornAt } from './network.ts';
import { startCapture } from './peers/capture.ts';
import { startDovecot } from './peers/dovecot.ts';
import { startExim } from './peers/exim.ts';
import { hasPeers } from './peers/peer.ts';
import { type Postfix, startPostfix } from './peers/postfix.ts';

const originalRecipient = 'rfc822;Bob+First=1@elsewhere.example';
const envelopeId = 'Q+ID=7 of today';
const most = { timeout: 60_000 };

describe.skipIf(!hasPeers('postfix', 'exim4', 'dovecot', 'knotd'))(
  'the report on mail between many makes of hosts',
  () => {
    const parts = new Parts();
    let home: TestAgent;
    let postfix: Postfix;

    beforeAll(async () => {
      const { address } = await parts.add(startNames());
      const dovecot = await parts.add(startDovecot());
      const capture = await parts.add(startCapture());
      const queue = { retry: ['1s'], delayWarningAfter: '1s' };
      home = await parts.add(startPosthornAt('home', address, () => ({ queue })));
      const deliver = `lmtp://127.0.0.1:${dovecot.port}`;
      const domains = { 'far.example': { deliver, mailboxes: ['carl'] } };
      await parts.add(startPosthornAt('far', address, () => ({ domains })));
      // It has no DSN, as it comes.
      await parts.add(startExim({ place: placeOf('exim'), relayTo: capture.port }));
      postfix = await parts.add(startRelayingPostfix());
    });

    afterAll(() => parts[Symbol.asyncDispose]());

    /** Gives a message with all that a report repeats to the first host; the one report that comes home. */
    async function reportOn(message: {
      readonly via: HostName;
      readonly to: string;
      readonly notify: Notify;
      readonly ret: 'FULL' | 'HDRS';
    }) {
      const { via, to, notify, ret } = message;
      const box = `${via}-${to.replace('@', '-')}-${notify}-${ret}`.toLowerCase();
      const mail: MailParameters = { ret, envelopeId };
      await give(via, { from: `${box}@home.example`, to, mail, recipient: { notify: [notify], originalRecipient } });
      const { report, original } = await reportIn(home, box);
      return { report, original: { kind: original?.kind, text: original?.content.toString('latin1') } };
    }

    const said = (reporter: HostName, action: Action, to: string) => ({
      reportingMta: `mx.${reporter}.example`,
      envelopeId,
      recipients: [{ finalRecipient: to, originalRecipient, action }],
    });

    it.each([
      ['CLI-PARM-2 DSN-21', 'Posthorn, then Postfix', 'home', 'bob@postfix.example', 'postfix'],
      ['DSN-10 DSN-5 DSN-6 DSN-4', 'Postfix, then Posthorn', 'postfix', 'dora@home.example', 'home'],
      ['DSN-10 DSN-5 DSN-6 DSN-4 CLI-PARM-2', 'two Posthorns, then Dovecot', 'home', 'carl@far.example', 'far'],
      ['DSN-10 DSN-5 DSN-6 DSN-4', 'Postfix, Posthorn, then Dovecot', 'postfix', 'carl@far.example', 'far'],
    ] as const)('%s of a delivery by %s', most, async (_ids, _makes, via, to, reporter) => {
      const { report, original } = await reportOn({ via, to, notify: 'SUCCESS', ret: 'FULL' });
      expect(report).toMatchObject(said(reporter, 'delivered', to));
      expect(report.recipients[0]?.status).toMatch(/^2\.\d\.\d$/);
      // What has arrived need not come back.
      expect(original.kind).toBe('headers');
      expect(original.text).toContain('Subject: hello');
    });

    it.each(['home', 'postfix'] as const)(
      'DSN-12 DSN-5 DSN-6 of a relay by %s to Exim, which has no DSN',
      most,
      async (via) => {
        const to = 'dan@exim.example';
        const { report } = await reportOn({ via, to, notify: 'SUCCESS', ret: 'HDRS' });
        expect(report).toMatchObject(said(via, 'relayed', to));
        expect(report.recipients[0]?.status).toMatch(/^2\.\d\.\d$/);
      },
    );

    it.each([
      ['DSN-4 DSN-8 DSN-9 DSN-17 DSN-23', 'home', 'nobody@postfix.example', 'FULL'],
      ['DSN-4 DSN-8 DSN-9 DSN-17 DSN-23', 'home', 'nobody@postfix.example', 'HDRS'],
      ['EXT-DSN-S1 DSN-17', 'postfix', 'nobody@far.example', 'FULL'],
      ['EXT-DSN-S1 DSN-17', 'postfix', 'nobody@far.example', 'HDRS'],
    ] as const)('%s of a failure that %s has with %s, RET=%s', most, async (_ids, via, to, ret) => {
      const { report, original } = await reportOn({ via, to, notify: 'FAILURE', ret });
      expect(report).toMatchObject(said(via, 'failed', to));
      const [recipient] = report.recipients;
      expect(recipient).toMatchObject({ status: '5.1.1', diagnostic: { type: 'smtp', reply: { code: 550 } } });
      expect(recipient?.remoteMta).toContain(via === 'home' ? 'mx.postfix.example' : placeOf('far').host);
      expect(original.kind).toBe(ret === 'FULL' ? 'message' : 'headers');
      expect(original.text?.includes('the body')).toBe(ret === 'FULL');
    });

    it.each(['home', 'postfix'] as const)(
      'DSN-11 DSN-5 DSN-6 of a delay at %s, as the next host is down',
      most,
      async (via) => {
        const to = 'dirk@down.example';
        const { report, original } = await reportOn({ via, to, notify: 'DELAY', ret: 'FULL' });
        expect(report).toMatchObject(said(via, 'delayed', to));
        expect(report.recipients[0]?.status).toMatch(/^4\.\d\.\d$/);
        expect(report.recipients[0]?.willRetryUntil).toBeGreaterThan(Date.now());
        expect(original.kind).toBe('headers');
      },
    );

    it.each([
      ['home', 'nobody@postfix.example'],
      ['postfix', 'nobody@far.example'],
    ] as const)('DSN-9 is never made by %s for NOTIFY=NEVER', most, async (via, to) => {
      const box = `never-${via}`;
      const from = `${box}@home.example`;
      await give(via, { from, to, recipient: { notify: [] } });
      await expect.poll(() => hasGivenUp(via, to), { timeout: 20_000 }).toBe(true);
      // What the first message brought would have come before what the second brings.
      await give(via, { from, to: to.replace('nobody', 'nobody2'), recipient: { notify: ['FAILURE'] } });
      const { report } = await reportIn(home, box);
      expect(report.recipients.map(({ finalRecipient }) => finalRecipient)).toEqual([to.replace('nobody', 'nobody2')]);
      await mailIn(home, box, 1);
    });

    function hasGivenUp(via: 'home' | 'postfix', to: string): boolean {
      if (via === 'home') {
        return home.log.lines.some(({ text, fields }) => text === 'failed' && (fields as { to?: string }).to === to);
      }
      const id = new RegExp(`([0-9A-F]+): to=<${to}>, .* status=bounced`).exec(postfix.log())?.[1];
      return id !== undefined && postfix.log().includes(`${id}: removed`);
    }
  },
);

function startRelayingPostfix(): Promise<Postfix> {
  const ways = (['home', 'far', 'exim', 'down'] as const).map(
    (host) => `{${host}.example = smtp:[${placeOf(host).host}]:25}`,
  );
  return startPostfix({
    place: placeOf('postfix'),
    mailboxes: ['bob@postfix.example'],
    settings: {
      myhostname: 'mx.postfix.example',
      transport_maps: `inline:{ ${ways.join(' ')} }`,
      delay_warning_time: '1s',
    },
  });
}
