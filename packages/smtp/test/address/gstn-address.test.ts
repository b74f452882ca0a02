import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dialledNumber,
  formatGstnAddress,
  type GstnAddress,
  gstnElement,
  gstnKey,
  parseGstnAddress,
  parsePersonalName,
} from '../../src/address/gstn-address.ts';

const parsed = (text: string) => {
  const address = parseGstnAddress(text);
  if (address === undefined) throw new Error(`${text} is no number`);
  return address;
};

const keyword = fc.stringMatching(/^[A-Za-z0-9-]{1,6}$/).filter((word) => !/^(T33S|ISUB|POSTD)$/i.test(word));
const value = fc.stringMatching(/^[ -.0-~]{1,12}$/);
const anyAddress: fc.Arbitrary<GstnAddress> = fc.record({
  service: fc.stringMatching(/^[A-Za-z0-9-]{1,8}$/),
  number: fc.oneof(
    fc.stringMatching(/^\+[-.]{0,2}[0-9][-.0-9]{0,14}$/),
    fc.stringMatching(/^[0-9#*A-Dpw][-.0-9#*A-Dpw]{0,14}$/),
  ),
  elements: fc.array(fc.record({ keyword, value }), { maxLength: 4 }),
});

describe('parseGstnAddress', () => {
  it('EXT-GSTN-1 reads a service and a number, with separators, and slashes around them that it does not write', () => {
    expect(parsed('VOICE=+3940226338')).toEqual({ service: 'VOICE', number: '+3940226338', elements: [] });
    expect(parsed('/SMS=+33-1-88335215/')).toEqual({ service: 'SMS', number: '+33-1-88335215', elements: [] });
    expect(formatGstnAddress(parsed('/SMS=+33-1-88335215/'))).toBe('SMS=+33-1-88335215');
    expect(dialledNumber(parsed('FAX=+1.202.7653000').number)).toBe('+12027653000');
  });

  it('EXT-GSTN-1 keeps all elements in their order, those that nobody knows too', () => {
    const text = 'XYZ=+3940226338/ATTN=Mark.Collins/New-1=a=b/c d/ZIP=34100';
    expect(parsed(text).elements).toEqual([
      { keyword: 'ATTN', value: 'Mark.Collins' },
      { keyword: 'New-1', value: 'a=b/c d' },
      { keyword: 'ZIP', value: '34100' },
    ]);
    expect(formatGstnAddress(parsed(text))).toBe(text);
  });

  it('EXT-GSTN-1 is no split and no loss: what is written is read again', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        expect(parseGstnAddress(formatGstnAddress(address))).toEqual(address);
        expect(parseGstnAddress(`/${formatGstnAddress(address)}/`)).toEqual(address);
      }),
    );
  });

  it('EXT-GSTN-2 reads the subaddress of a fax: digits, for FAX alone, one for each recipient', () => {
    expect(gstnElement(parsed('FAX=+390203/t33s=0123'), 'T33S')).toBe('0123');
    for (const bad of ['FAX=+390203/T33S=12a', 'FAX=+390203/T33S=', 'FAX=+390203/T33S=1#2', 'VOICE=+390203/T33S=1']) {
      expect(parseGstnAddress(bad)).toBeUndefined();
    }
    expect(parseGstnAddress('FAX=+390203/T33S=1/T33S=2')).toBeUndefined();
  });

  it('EXT-GSTN-2 refuses what is no number', () => {
    for (const bad of [
      '',
      '=',
      'FAX',
      'FAX=',
      'FAX=+',
      'FAX=+-.',
      'FAX=+39p1',
      'FAX=39+1',
      'FAX=+39x',
      'F X=+39',
      '=+39',
    ])
      expect([bad, parseGstnAddress(bad)]).toEqual([bad, undefined]);
    for (const ordinary of ['alice', 'alice+news', 'prvs=1234abcd=alice', 'SRS0=x=y=example.net=bob', 'FAX=+39/a\0b=c'])
      expect(parseGstnAddress(ordinary)).toBeUndefined();
  });

  it('EXT-GSTN-3 reads local numbers, subaddresses of ISDN and what is dialled behind', () => {
    const address = parsed('FAX=9p040p22.63.38/Isub=98-23/PostD=p1w7005393w373#*A');
    expect(address.number).toBe('9p040p22.63.38');
    expect(gstnElement(address, 'ISUB')).toBe('98-23');
    expect(gstnElement(address, 'POSTD')).toBe('p1w7005393w373#*A');
    expect(parsed('FAX=/postd=w6743w99p51').number).toBe('');
    expect(parseGstnAddress('FAX=+1/ISUB=x')).toBeUndefined();
    expect(parseGstnAddress('FAX=+1/POSTD=e')).toBeUndefined();
  });

  it('EXT-GSTN-3 reads whom a call is for', () => {
    expect(parsePersonalName('Tom.J.Smiths')).toEqual({ givenName: 'Tom', initials: 'J', surname: 'Smiths' });
    expect(parsePersonalName('Mark.Collins')).toEqual({ givenName: 'Mark', surname: 'Collins' });
    expect(parsePersonalName('Smiths')).toEqual({ surname: 'Smiths' });
    expect(parsePersonalName('Carlo.CMLS.Nascimento')).toMatchObject({ initials: 'CMLS', surname: 'Nascimento' });
  });

  it('never throws, and is quick about long text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => void parseGstnAddress(text)));
    expect(parseGstnAddress(`FAX=+1${'/a'.repeat(50_000)}`)).toBeUndefined();
    expect(parseGstnAddress(`FAX=+1${'/a=b'.repeat(50_000)}`)?.elements).toHaveLength(50_000);
  });
});

describe('gstnKey', () => {
  it('EXT-GSTN-2 compares without case of service and keyword, and without separators in numbers', () => {
    const same = (one: string, other: string) => gstnKey(parsed(one)) === gstnKey(parsed(other));
    expect(same('FAX=+39-02.03/t33s=1', 'fax=+390203/T33S=1')).toBe(true);
    expect(same('FAX=9P1/ISUB=1-2', 'FAX=9p1/isub=12')).toBe(true);
    expect(same('FAX=+390203', 'VOICE=+390203')).toBe(false);
    expect(same('FAX=+390203', 'FAX=390203')).toBe(false);
    expect(same('FAX=+390203/T33S=1', 'FAX=+390203/T33S=01')).toBe(false);
    expect(same('FAX=+390203/ATTN=a-b', 'FAX=+390203/ATTN=ab')).toBe(false);
  });

  it('EXT-GSTN-2 is the same for any case of the service and any separators', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        const other = { ...address, service: address.service.toLowerCase(), number: dialledNumber(address.number) };
        expect(gstnKey(other)).toBe(gstnKey(address));
      }),
    );
  });
});
