import { prepareText } from '@posthorn/smtp/sasl/prepare';
import { describe, expect, it } from 'vitest';

describe('the preparation of names and passwords', () => {
  it('CMD-AUTH-12 makes different ways of writing one, as the examples of its standard are', () => {
    expect(prepareText('I\u00adX')).toBe('IX');
    expect(prepareText('user')).toBe('user');
    expect(prepareText('USER')).toBe('USER');
    expect(prepareText('\u00aa')).toBe('a');
    expect(prepareText('\u2168')).toBe('IX');
    expect(prepareText('a\u00a0b\u3000c')).toBe('a b c');
    expect(prepareText('\u0007')).toBeUndefined();
    expect(prepareText('')).toBeUndefined();
    expect(prepareText('\u00ad')).toBeUndefined();
    expect(prepareText('a\ud800')).toBeUndefined();
  });
});
