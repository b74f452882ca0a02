import { expect, it } from 'vitest';
import { parseClamavReply } from '../../src/filters/clamav-reply.ts';

it.each<[string, object | undefined]>([
  ['stream: OK', { kind: 'clean' }],
  ['stream: Eicar-Test-Signature FOUND', { kind: 'found', name: 'Eicar-Test-Signature' }],
  ['stream: a\r\nb FOUND', undefined],
  ['stream: a\u0001b FOUND', { kind: 'found', name: 'a?b' }],
  [`stream: ${'x'.repeat(301)} FOUND`, undefined],
  ['INSTREAM size limit exceeded. ERROR', undefined],
  ['stream: OK?', undefined],
  ['', undefined],
])('ClamAV says %j', (text, reply) => {
  expect(parseClamavReply(text)).toEqual(reply);
});
