import { fieldValue, headerFields, splitMessage, withoutFields } from '@posthorn/smtp/message/header';
import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const text = 'Received: one\r\n\ttwo\r\nSubject : a\r\n  b \r\nno field\r\nX-Bin: \xe9\r\n\r\nbody\r\n\r\nmore';

describe('headers', () => {
  it('splits at the first empty line and loses no octet', () => {
    const parts = splitMessage(Buffer.from(text, 'latin1'));
    expect(parts.separator.toString()).toBe('\r\n');
    expect(parts.body.toString()).toBe('body\r\n\r\nmore');
    expect(Buffer.concat(Object.values(parts)).toString('latin1')).toBe(text);
    expect(splitMessage(Buffer.from('\r\nbody')).header).toHaveLength(0);
    expect(splitMessage(Buffer.from('\r\nbody')).body.toString()).toBe('body');
    expect(splitMessage(Buffer.from('A: b\n\nbody')).body.toString()).toBe('body');
    expect(splitMessage(Buffer.from('A: b\r\nC')).body).toHaveLength(0);
    expect(splitMessage(Buffer.alloc(0)).header).toHaveLength(0);
  });

  it('gives each field with its octets, its name and its unfolded text', () => {
    const { header } = splitMessage(Buffer.from(text, 'latin1'));
    expect([...headerFields(header)].map((field) => [field.name, field.value])).toEqual([
      ['received', 'one\ttwo'],
      ['subject', 'a  b'],
      ['', 'no field'],
      ['x-bin', 'é'],
    ]);
    expect(Buffer.concat([...headerFields(header)].map((field) => field.raw))).toEqual(header);
    expect(fieldValue(header, 'subject')).toBe('a  b');
    expect(fieldValue(header, 'to')).toBeUndefined();
    expect(fieldValue(Buffer.from('To: j\u00fcrg'), 'to')).toBe('jürg');
  });

  it('removes fields and keeps the octets of all others', () => {
    const header = Buffer.from('A: 1\r\nB: 2\r\n 3\r\nA: 4\nb : 5\r\n');
    expect(withoutFields(header, 'b').toString()).toBe('A: 1\r\nA: 4\n');
    expect(withoutFields(header, 'c')).toBe(header);
  });

  it('never throws and never loses an octet, whatever the message', () => {
    const octets = fc.array(fc.constantFrom(...Buffer.from('Aa: \t\r\n\0\xff'))).map((list) => Buffer.from(list));
    fc.assert(
      fc.property(octets, fc.integer({ min: 1, max: 5 }), (message, size) => {
        const parts = splitMessage(message);
        expect(Buffer.concat([parts.header, parts.separator, parts.body])).toEqual(message);
        expect(Buffer.concat([...headerFields(parts.header)].map((field) => field.raw))).toEqual(parts.header);
        const collector = new HeaderCollector();
        let at = 0;
        while (at < message.length && !collector.write(message.subarray(at, at + size))) at += size;
        expect(collector.header).toEqual(parts.header);
        const rest = message.subarray(at + size);
        expect(Buffer.concat([collector.rest, rest])).toEqual(Buffer.concat([parts.separator, parts.body]));
      }),
    );
  });

  it('cuts a header beyond the limit behind a whole line', () => {
    const collector = new HeaderCollector(100);
    const piece = Buffer.from('X-Flood: yes\r\n');
    let pieces = 1;
    while (!collector.write(piece)) pieces += 1;
    collector.header;
    expect(pieces).toBe(8);
    expect(collector.header).toHaveLength(8 * 14);
    const one = new HeaderCollector(100);
    expect(one.write(Buffer.from(`A: b\r\nX: ${'x'.repeat(200)}`))).toBe(true);
    expect(one.header.toString()).toBe('A: b\r\n');
    expect(one.rest).toHaveLength(203);
  });
});
