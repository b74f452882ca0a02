import type { RecipientResult } from '@posthorn/smtp/client/send-result';
import { readMailParameters } from '@posthorn/smtp/command/parameters';
import { Failure } from '@posthorn/smtp/failure/failure';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliverToHosts, type Journey, type Stop } from '../../src/agents/deliver-to-hosts.ts';
import { placeOf, sharesOf, transactionIdOf } from '../../src/agents/shares.ts';
import type { DeliveryJob } from '../../src/queue/delivery-agent.ts';
import type { Outcome, Unfinished } from '../../src/queue/outcome.ts';
import { contentInHand } from '../../src/spool/content.ts';

const large = Buffer.from(`Subject: x\r\n\r\n${'line\r\n'.repeat(50_000)}`);
const addresses = ['a@x.test', 'b@x.test', 'c@x.test', 'd@x.test'];

function cutOff(unfinished: Unfinished): Outcome {
  return { kind: 'deferred', status: '4.4.2', at: 0, unfinished };
}

function jobOf(earlier: readonly (Outcome | undefined)[] = [], text = large): DeliveryJob {
  const recipients = addresses.map((address) => ({ address }));
  return {
    envelope: {
      id: '0q1w2e3r4t5y6z',
      reversePath: 's@y.test',
      recipients,
      receivedAt: 0,
      size: text.length,
      body: '7BIT',
      smtputf8: false,
      origin: { clientAddress: 'local' },
    },
    recipients,
    content: contentInHand(text),
    nextHop: { kind: 'mx', key: 'x.test', domain: 'x.test' },
    signal: new AbortController().signal,
    ...(earlier.length === 0 ? {} : { earlier }),
  };
}

describe('the recipients of a large message', () => {
  it('EXT-CKPT-6 go on together when they were cut off together, under the same name, and the others under a new one', () => {
    const one = cutOff({ name: 'n1', place: 'h 25', recipients: 2 });
    const two = cutOff({ name: 'n2', place: 'i 25', recipients: 1 });
    const shares = sharesOf(jobOf([one, undefined, one, two]));
    expect(shares).toEqual([
      { indexes: [0, 2], name: 'n1', place: 'h 25' },
      { indexes: [3], name: 'n2', place: 'i 25' },
      { indexes: [1], name: expect.stringMatching(/^0q1w2e3r4t5y6z\.[0-9a-f]{12}$/) },
    ]);
  });

  it('EXT-CKPT-6 go anew when not all are there that the host has', () => {
    const [share, ...others] = sharesOf(jobOf([cutOff({ name: 'n1', place: 'h 25', recipients: 2 })]));
    expect(others).toEqual([]);
    expect(share?.indexes).toEqual([0, 1, 2, 3]);
    expect(share?.name).not.toBe('n1');
  });

  it('EXT-CKPT-6 have no name when the message is small', () => {
    expect(sharesOf(jobOf([], large.subarray(0, 1000)))).toEqual([{ indexes: [0, 1, 2, 3] }]);
  });

  it('EXT-CKPT-1 EXT-CKPT-6 have a name that any host can read, whatever this one is called, one for each form of the text', () => {
    const names = fc.oneof(
      fc.domain(),
      fc.constantFrom('[127.0.0.1]', '[IPv6:2001:db8::1]', 'x'.repeat(60), '...', 'a.'.repeat(100)),
    );
    fc.assert(
      fc.property(names, (name) => {
        const ids = (['7BIT', '8BITMIME', 'BINARYMIME'] as const).map((body) =>
          transactionIdOf('0q1w2e3r4t5y6z.0123456789ab', body, { host: 'h', name }),
        );
        expect(new Set(ids).size).toBe(3);
        for (const id of ids) {
          const read = readMailParameters([{ keyword: 'TRANSID', value: `<${id}>` }], new Set(['CHECKPOINT']));
          expect(read).toEqual({ transactionId: id });
        }
      }),
    );
  });

  it('remember no secret of the way there', () => {
    const place = placeOf({ host: 'h', port: 587, credentials: { user: 'u', password: 'secret' } });
    expect(place).toBe('h 587');
  });
});

describe('hosts of a message that was cut off', () => {
  const stops: Stop[] = ['one', 'two', 'three'].map((host) => ({
    remoteHost: host,
    destination: { key: host, ownNames: [], connect: { host, port: 25, name: 'us.test' } },
  }));

  /** Tries them; each answers as told, or cannot be reached. Gives where, and how the transactions were called. */
  async function deliver(job: DeliveryJob, answers: Record<string, Partial<RecipientResult>>) {
    const tried: string[] = [];
    const journey: Journey = {
      stops,
      now: () => 0,
      handover: () => 'without-dsn',
      mayFail: true,
      destinations: {
        async send({ key }, parcel) {
          tried.push(key);
          parcel.giveUp(new Failure('unreachable', 'no way'));
          const { recipients } = parcel.result();
          const answered = recipients.map((each): RecipientResult => ({ ...each, ...answers[key] }));
          return { ok: false, recipients: answered, offered: new Set() };
        },
      },
    };
    return { tried, outcomes: await deliverToHosts(job, journey) };
  }

  const earlier = addresses.map(() => cutOff({ name: 'n1', place: 'two 25', recipients: 4 }));

  it('EXT-CKPT-6 are tried from the one on that has the beginning, and none is waited for', async () => {
    const { tried, outcomes } = await deliver(jobOf(earlier), {});
    expect(tried).toEqual(['two', 'one', 'three']);
    expect(outcomes.every(({ kind, unfinished }) => kind === 'deferred' && unfinished === undefined)).toBe(true);
  });

  it('EXT-CKPT-6 are tried in their order when it is none of them any more', async () => {
    const gone = addresses.map(() => cutOff({ name: 'n1', place: 'four 25', recipients: 4 }));
    expect((await deliver(jobOf(gone), {})).tried).toEqual(['one', 'two', 'three']);
  });

  it('EXT-CKPT-6 are remembered by what broke off there', async () => {
    const lost = { phase: 'text', failure: new Failure('lost', 'cut'), transactionId: 'x@us.test' } as const;
    const { tried, outcomes } = await deliver(jobOf(earlier), { two: lost });
    expect(tried).toEqual(['two']);
    for (const { unfinished } of outcomes) expect(unfinished).toEqual({ name: 'n1', place: 'two 25', recipients: 4 });
  });
});
