import { defaultTimeouts } from '@posthorn/smtp/protocol/client-timeouts';
import { describe, expect, it } from 'vitest';
import { MemoryClient } from '../laws/memory-client.ts';

/** A client behind the reply to EHLO. */
function readyClient(): MemoryClient {
  const client = new MemoryClient();
  client.hear('220 odmr.example.net');
  expect(client.line()).toBe('EHLO client.example.test');
  client.hear('250-odmr.example.net', '250 ATRN');
  return client;
}

describe('a client that asks for a reversal', () => {
  it('CMD-ATRN-8 waits ten minutes for the reply, and for other commands less', () => {
    expect(defaultTimeouts.turn).toBeGreaterThanOrEqual(600_000);
    const client = readyClient();
    client.now = 1000;
    client.session.command('ATRN', 'turn');
    client.pump();
    expect(client.line()).toBe('ATRN');
    expect(client.session.deadline()).toBe(1000 + defaultTimeouts.turn);
    client.now = 1000 + 599_999;
    client.session.expire(client.now);
    expect(client.session.ready).toBe(true);
    client.hear('453 4.2.0 You have no mail');
    expect(client.events.at(-1)).toMatchObject({ kind: 'reply', reply: { code: 453 } });
    client.session.command('NOOP');
    client.pump();
    expect(client.session.deadline()).toBe(client.now + defaultTimeouts.command);
  });
});
