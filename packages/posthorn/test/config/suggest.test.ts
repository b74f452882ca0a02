import { expect, it } from 'vitest';
import { suggest } from '../../src/config/suggest.ts';

const words = ['listeners', 'limits', 'hostname', 'to', 'tls'];

it.each([
  ['listners', 'listeners'],
  ['LISTENERS', 'listeners'],
  ['hostnmae', 'hostname'],
  ['limit', 'limits'],
  ['too', 'to'],
  ['colour', undefined],
  ['x'.repeat(1_000_000), undefined],
  ['', undefined],
])('suggests for %.12s the nearest word, if one is near', (written, meant) => {
  expect(suggest(written, words)).toBe(meant);
});
