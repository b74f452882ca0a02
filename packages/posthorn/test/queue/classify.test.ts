import { Failure, type FailureKind } from '@posthorn/smtp/failure/failure';
import type { Phase } from '@posthorn/smtp/protocol/client-timeouts';
import { reply, type Status } from '@posthorn/smtp/reply/reply';
import { describe, expect, it } from 'vitest';
import { classify, type HostAnswer, isFinal, refusesAll } from '../../src/queue/classify.ts';

const context = { at: 5, remoteHost: 'mx.example', handover: 'without-dsn' } as const;

function answered(code: number, phase: Phase, status?: Status): HostAnswer {
  const kind = code < 300 ? 'accepted' : code < 500 ? 'deferred' : 'refused';
  return { kind, phase, reply: reply(code, status, 'text'), ...(status === undefined ? {} : { status }) };
}

function failed(kind: FailureKind, phase: Phase): HostAnswer {
  return { kind: 'deferred', phase, failure: new Failure(kind, 'what\nhappened é') };
}

describe('classify', () => {
  it('ENH-0 ENH-1/2.1.5 says that a recipient was reached where a host says no more than that all is well', () => {
    expect(classify(answered(250, 'text', '2.0.0'), context).status).toBe('2.1.5');
    expect(classify(answered(250, 'text'), context).status).toBe('2.1.5');
  });

  it('CLI-RPL-1 ENH-6/2.6.0 reads 2yz as delivered, 4yz as deferred, 5yz as failed, with the status of the reply', () => {
    expect(classify(answered(250, 'text', '2.6.0'), context)).toEqual({
      kind: 'delivered',
      status: '2.6.0',
      at: 5,
      remoteHost: 'mx.example',
      reply: reply(250, '2.6.0', 'text'),
      handover: 'without-dsn',
    });
    expect(classify(answered(450, 'rcpt', '4.2.1'), context)).toMatchObject({ kind: 'deferred', status: '4.2.1' });
    expect(classify(answered(550, 'rcpt', '5.1.1'), context)).toMatchObject({ kind: 'failed', status: '5.1.1' });
    expect(classify(answered(554, 'mail'), context)).toMatchObject({ kind: 'failed' });
    expect(classify(answered(554, 'data'), context)).toMatchObject({ kind: 'failed' });
    expect(classify(answered(552, 'text', '5.3.4'), context)).toMatchObject({ kind: 'failed', status: '5.3.4' });
  });

  it('ENH-0 falls back on 4.0.0 and 5.0.0 when a reply has no status and its code says nothing more exact', () => {
    expect(classify(answered(450, 'rcpt'), context).status).toBe('4.0.0');
    expect(classify(answered(550, 'rcpt'), context).status).toBe('5.0.0');
    expect(classify(answered(421, 'mail'), context).status).toBe('4.3.2');
  });

  it('REP-556 fails a recipient whose relay knows that the domain takes no mail', () => {
    expect(classify(answered(556, 'rcpt'), context)).toMatchObject({ kind: 'failed', status: '5.1.10' });
  });

  it('GEN-16 ENH-X decides by the first digit for codes it does not know and keeps statuses it does not know', () => {
    expect(classify(answered(499, 'rcpt', '4.9.123'), context)).toMatchObject({ kind: 'deferred', status: '4.9.123' });
    expect(classify(answered(599, 'rcpt', '5.88.1'), context)).toMatchObject({ kind: 'failed', status: '5.88.1' });
    expect(classify(answered(299, 'text'), context)).toMatchObject({ kind: 'delivered' });
  });

  it('CMD-RCPT-6 defers a 552 that only meant enough recipients, with a status of that class', () => {
    const answer: HostAnswer = { ...answered(552, 'rcpt', '5.5.3'), kind: 'deferred' };
    expect(classify(answer, context)).toMatchObject({ kind: 'deferred', status: '4.5.3' });
  });

  it('CLI-RPL-4 takes what a host says about itself for no verdict on the mail', () => {
    for (const phase of ['greeting', 'hello', 'tls', 'auth'] as const) {
      expect(classify(answered(550, phase, '5.7.1'), context)).toMatchObject({ kind: 'deferred', status: '4.7.1' });
    }
    expect(refusesAll(answered(554, 'greeting'))).toBe(true);
    expect(refusesAll(answered(521, 'hello'))).toBe(true);
    expect(refusesAll(answered(550, 'greeting'))).toBe(false);
    expect(refusesAll(answered(554, 'mail'))).toBe(false);
  });

  it.each<[FailureKind, Phase, Status]>([
    ['refused', 'connect', '4.4.1'],
    ['unreachable', 'connect', '4.4.1'],
    ['timeout', 'connect', '4.4.1'],
    ['timeout', 'greeting', '4.4.2'],
    ['timeout', 'rcpt', '4.4.2'],
    ['lost', 'text', '4.4.2'],
    ['aborted', 'text', '4.4.2'],
    ['dns', 'connect', '4.4.3'],
    ['limit', 'connect', '4.4.5'],
    ['protocol', 'mail', '4.5.0'],
    ['tls', 'tls', '4.7.5'],
    ['authentication', 'auth', '4.7.8'],
  ])('ENH-4/4.4.1 ENH-4/4.4.2 says of failure %s in step %s: %s', (kind, phase, status) => {
    expect(classify(failed(kind, phase), context)).toEqual({
      kind: 'deferred',
      status,
      at: 5,
      remoteHost: 'mx.example',
      text: 'what?happened ?',
    });
  });

  it('EXT-8BIT-2 EXT-SIZE-4 fails what the host cannot take, with the status of what it lacks', () => {
    const failure = new Failure('invalid', 'too large');
    const answer: HostAnswer = { kind: 'refused', phase: 'mail', status: '5.3.4', failure };
    expect(classify(answer, context)).toMatchObject({ kind: 'failed', status: '5.3.4', text: 'too large' });
    expect(isFinal(answer)).toBe(false);
  });

  it('CLI-MX-7 CLI-DUP-2 ends with an acceptance, a 5yz, and a connection lost behind the text, else tries the next host', () => {
    expect(isFinal(answered(250, 'text'))).toBe(true);
    expect(isFinal(answered(550, 'rcpt'))).toBe(true);
    expect(isFinal(answered(450, 'rcpt'))).toBe(false);
    expect(isFinal(answered(451, 'text'))).toBe(false);
    expect(isFinal(failed('lost', 'rcpt'))).toBe(false);
    expect(isFinal(failed('refused', 'connect'))).toBe(false);
    expect(isFinal(failed('lost', 'text'))).toBe(true);
  });
});
