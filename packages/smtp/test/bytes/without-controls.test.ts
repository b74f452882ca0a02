import { withoutControls } from '@posthorn/smtp/bytes/without-controls';
import { describe, expect, it } from 'vitest';

describe('withoutControls', () => {
  it('puts a question mark for every control character, and keeps all else', () => {
    expect(withoutControls('a\r\nb\0\t\x1b[2J\x7f\x85c')).toBe('a??b???[2J??c');
    expect(withoutControls(' Pelé 测试 😀\u00a0')).toBe(' Pelé 测试 😀\u00a0');
  });
});
