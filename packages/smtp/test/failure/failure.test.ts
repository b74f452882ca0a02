import { Failure } from '@posthorn/smtp/failure/failure';
import { describe, expect, it } from 'vitest';

describe('Failure', () => {
  it('is an error with a kind, and keeps its cause', () => {
    const cause = new Error('ECONNREFUSED');
    const failure = new Failure('refused', 'connection refused', cause);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).toMatchObject({ name: 'Failure', kind: 'refused', message: 'connection refused', cause });
    expect('cause' in new Failure('timeout', 'too late')).toBe(false);
    expect(String(failure)).toBe('Failure: connection refused');
  });
});
