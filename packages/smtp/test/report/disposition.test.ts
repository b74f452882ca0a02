import { type Disposition, formatDisposition, parseDisposition } from '@posthorn/smtp/report/disposition';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const displayed: Disposition = {
  action: 'manual-action',
  sending: 'MDN-sent-manually',
  type: 'displayed',
  modifiers: [],
};

describe('a disposition', () => {
  it('LOC-MDN-1 is written as its mode, its type and its modifiers', () => {
    expect(formatDisposition(displayed)).toBe('manual-action/MDN-sent-manually; displayed');
    expect(formatDisposition({ ...displayed, type: 'processed', modifiers: ['error', 'x-late'] })).toBe(
      'manual-action/MDN-sent-manually; processed/error,x-late',
    );
  });

  it.each([
    'manual-action/MDN-sent-manually; displayed',
    'MANUAL-ACTION/mdn-SENT-manually;DISPLAYED',
    '(a) manual-action (b (c\\)) d) / MDN-sent-manually\t;\r\n displayed (e)',
  ])('LOC-MDN-1 is read in any case, with comments and blanks: %j', (value) => {
    expect(parseDisposition(value)).toEqual(displayed);
  });

  it.each([
    '',
    'displayed',
    'manual-action; displayed',
    'manual-action/MDN-sent-manually',
    'manual-action/MDN-sent-manually;',
    'manual-action/MDN-sent-manually; displayed/',
    'manual-action/MDN-sent-manually; displayed/a,,b',
    'manual-action/MDN-sent-manually; displayed; deleted',
    'manual-action/MDN-sent-manually/x; displayed',
    'no-action/MDN-sent-manually; displayed',
    'manual-action/MDN-sent; displayed',
    '(manual-action/MDN-sent-manually; displayed)',
    'manual-action/MDN-sent-manually; displayed é',
  ])('is none: %j', (value) => expect(parseDisposition(value)).toBeUndefined());

  it('LOC-MDN-1 is the same when it is read as it was written', () => {
    const word = fc.string({
      unit: fc.constantFrom(...'abcxyz0189-_.!'.replace('.', '')),
      minLength: 1,
      maxLength: 12,
    });
    const disposition = fc.record<Disposition>({
      action: fc.constantFrom('manual-action', 'automatic-action'),
      sending: fc.constantFrom('MDN-sent-manually', 'MDN-sent-automatically'),
      type: fc.oneof(fc.constantFrom('displayed', 'deleted', 'dispatched', 'processed'), word),
      modifiers: fc.array(word, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(disposition, (each) => {
        expect(parseDisposition(formatDisposition(each))).toEqual(each);
      }),
    );
  });

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'/;,()\\ ma-', 'manual-action', 'MDN-sent-manually'), maxLength: 60 }),
        (text) => {
          const read = parseDisposition(text);
          if (read !== undefined) expect(parseDisposition(formatDisposition(read))).toEqual(read);
        },
      ),
    );
  });
});
