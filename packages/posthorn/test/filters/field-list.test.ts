import { splitMessage } from '@posthorn/smtp/message/header';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldChange } from '../../src/filters/content-verdict.ts';
import { composeField, FieldList } from '../../src/filters/field-list.ts';

const trace = Buffer.from('Received: from here\r\n\tby there\r\n');
const name = fc.constantFrom('A', 'b', 'Received', 'X-Long');
const value = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
  fc
    .array(fc.constantFrom('\r\n', '\n', '\r', ' ', 'x', ':', '\0', '\t'), { maxLength: 12 })
    .map((parts) => Buffer.from(parts.join(''))),
);
const changes: fc.Arbitrary<FieldChange> = fc.oneof(
  fc.record({ kind: fc.constant('add'), name, value }),
  fc.record({ kind: fc.constantFrom('insert', 'change'), index: fc.nat({ max: 6 }), name, value }),
  fc.record({ kind: fc.constant('remove'), name }),
) as fc.Arbitrary<FieldChange>;

describe('a list of fields', () => {
  it('stays one header with its trace in it, whatever is changed', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 12 }), (list) => {
        const fields = new FieldList(trace, Buffer.from('A: 1\r\nB: 2\r\n  more\r\nReceived: other\r\na: 3\r\n'));
        for (const change of list) fields.apply(change);
        const bytes = fields.toBuffer();
        expect(splitMessage(Buffer.concat([bytes, Buffer.from('\r\nbody')])).header.equals(bytes)).toBe(true);
        expect(bytes.includes(trace)).toBe(true);
        expect(bytes.toString('latin1').replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/);
        expect(fields.seen.some((field) => field.equals(trace))).toBe(false);
      }),
    );
  });

  it('leaves every octet of the others, malformed lines among them', () => {
    const header = Buffer.from('>From nobody\r\nA : 1\r\nB:2\r\n\t\x80\xff\r\n', 'latin1');
    const fields = new FieldList(trace, header);
    fields.apply({ kind: 'add', name: 'C', value: Buffer.from(' 3') });
    fields.apply({ kind: 'change', index: 1, name: 'a', value: Buffer.alloc(0) });
    expect(fields.toBuffer().toString('latin1')).toBe(`${trace}${'>From nobody\r\nB:2\r\n\t\x80\xff\r\n'}C: 3\r\n`);
  });

  it('ends the last field of a text that ends within its header', () => {
    const fields = new FieldList(trace, Buffer.from('A: 1'));
    fields.apply({ kind: 'add', name: 'B', value: Buffer.from(' 2') });
    expect(fields.toBuffer().toString()).toBe(`${trace}A: 1\r\nB: 2\r\n`);
  });

  it('folds what has several lines', () => {
    expect(composeField('X', Buffer.from(' a\nb\r\n  c\n\n')).toString()).toBe('X: a\r\n\tb\r\n  c\r\n');
  });
});
