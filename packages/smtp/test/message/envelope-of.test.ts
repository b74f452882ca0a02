import { envelopeOf } from '@posthorn/smtp/message/envelope-of';
import { describe, expect, it } from 'vitest';

describe('envelopeOf', () => {
  it('takes all recipients once, groups resolved', () => {
    const envelope = envelopeOf({
      from: 'Ann <ann@example.org>, second@example.org',
      to: ['Bob <bob@example.net>', { group: 'Team', members: ['carol@example.net', 'BOB@example.net'] }],
      cc: 'bob@EXAMPLE.net, dave@example.net',
      bcc: { name: 'Eve', address: 'eve@example.net' },
    });
    expect(envelope).toEqual({
      from: 'ann@example.org',
      recipients: ['bob@example.net', 'carol@example.net', 'BOB@example.net', 'dave@example.net', 'eve@example.net'],
      smtputf8: false,
    });
  });

  it('prefers the sender to the author', () => {
    expect(envelopeOf({ from: 'a@x, b@x', sender: 'c@x' }).from).toBe('c@x');
  });

  it('EXT-UTF8-11 asks for SMTPUTF8 only where a local-part needs it', () => {
    expect(envelopeOf({ from: 'a@bücher.example', to: 'b@例.example, b@xn--fsq.example' })).toEqual({
      from: 'a@xn--bcher-kva.example',
      recipients: ['b@xn--fsq.example'],
      smtputf8: false,
    });
    expect(envelopeOf({ from: 'a@x', bcc: 'ü@x' }).smtputf8).toBe(true);
  });
});
