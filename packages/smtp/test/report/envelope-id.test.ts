import { encodeXtext } from '@posthorn/smtp/bytes/xtext';
import { composeEnvelopeId } from '@posthorn/smtp/report/envelope-id';
import { expect, it } from 'vitest';

it('DSN-24 makes envelope identifiers of at most 38 characters on the wire', () => {
  const id = composeEnvelopeId((octets) => Buffer.alloc(octets, 0xf7));
  expect(encodeXtext(id).length).toBeLessThanOrEqual(38);
  expect(id).toMatch(/^(f7)+$/);
});
