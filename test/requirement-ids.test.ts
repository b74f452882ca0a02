import { describe, expect, it } from 'vitest';
// @ts-expect-error: a script in plain JavaScript
import { codesOf, leadingIds, resolveId } from '../scripts/requirement-ids.js';

const requirements = [
  { id: 'CMD-BDAT-4', requirement: 'x' },
  { id: 'REP-235/334', requirement: 'x' },
  { id: 'REP-X2', requirement: 'x' },
  { id: 'ENH-1a', requirement: '5.1.1 no such mailbox; 2.1.5 ok' },
  { id: 'ENH-1b', requirement: '4.1.8/5.1.8 sender domain unusable' },
  { id: 'ENH-1', requirement: '5.9.9 other' },
];

describe('the requirement IDs of a title', () => {
  it.each([
    ['CMD-BDAT-4 CMD-BDAT-6 discards the chunk', ['CMD-BDAT-4', 'CMD-BDAT-6']],
    ['ENH-1/5.1.1, REP-235/334: is given', ['ENH-1/5.1.1', 'REP-235/334']],
    ['EXT-CHUNK is offered', ['EXT-CHUNK']],
    ['DSN-9', ['DSN-9']],
    ['discards CMD-BDAT-4', []],
    ['DSN-aware hosts get it', []],
    ['SUB-domains are found', []],
    ['DLG-ATRN-1 runs', []],
  ])('are those that it begins with: %s', (title, ids) => {
    expect(leadingIds(title)).toEqual(ids);
  });

  it('stand for rows of the list, or for parts of them', () => {
    expect(resolveId('CMD-BDAT-4', requirements)).toEqual([{ id: 'CMD-BDAT-4' }]);
    expect(resolveId('REP-235/334', requirements)).toEqual([{ id: 'REP-235/334' }]);
    expect(resolveId('REP-334', requirements)).toEqual([{ id: 'REP-235/334', code: '334' }]);
    expect(resolveId('ENH-1/5.1.1', requirements)).toEqual([{ id: 'ENH-1a', code: '1.1' }]);
    expect(resolveId('ENH-1/4.1.8', requirements)).toEqual([{ id: 'ENH-1b', code: '1.8' }]);
    expect(resolveId('ENH-1a/2.1.5', requirements)).toEqual([{ id: 'ENH-1a', code: '1.5' }]);
  });

  it.each(['CMD-BDAT-5', 'REP-23', 'REP-999', 'ENH-1/5.1.7', 'ENH-1a/9.9.9', 'CMD-BDAT-4/x'])(
    'may stand for nothing: %s',
    (id) => {
      expect(resolveId(id, requirements)).toEqual([]);
    },
  );

  it('prove a row bit by bit only when all of its bits are proven', () => {
    expect(codesOf(requirements[1])).toEqual(['235', '334']);
    expect(codesOf(requirements[3])).toEqual(['1.1', '1.5']);
    expect(codesOf(requirements[4])).toEqual(['1.8']);
  });
});
