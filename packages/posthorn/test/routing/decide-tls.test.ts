import { describe, expect, it } from 'vitest';
import { type DaneFinding, decideTls, type TlsFindings } from '../../src/routing/decide-tls.ts';
import { createDomainTls, type TlsLevel, tlsLevels } from '../../src/routing/outbound-tls.ts';

const danes: readonly DaneFinding[] = ['usable', 'unusable', 'absent', 'failed', 'off'];
const policies: Readonly<Record<string, TlsFindings['sts']>> = {
  'no policy': undefined,
  none: { mode: 'none', matches: false },
  testing: { mode: 'testing', matches: false },
  names: { mode: 'enforce', matches: true },
  'does not': { mode: 'enforce', matches: false },
};

/** Every decision for one level: a row for each finding of DANE, a column for each policy. */
function decisions(level: TlsLevel, raised: boolean): string[] {
  return danes.map((dane) =>
    Object.values(policies)
      .map((sts) => decideTls({ level, raised }, { dane, sts }).tls)
      .join(' '),
  );
}

describe('decideTls', () => {
  it('CMD-TLS-10 SEC-DANE-2 SEC-STS-2 raises what is left open by what the domain publishes; a policy never makes up for DANE', () => {
    expect(decisions('may', true)).toEqual([
      'dane dane dane dane dane',
      'encrypted encrypted encrypted sts barred',
      'opportunistic opportunistic opportunistic sts barred',
      'barred barred barred barred barred',
      'opportunistic opportunistic opportunistic sts barred',
    ]);
    expect(decisions('encrypt', true)).toEqual([
      'dane dane dane dane dane',
      'encrypted encrypted encrypted sts barred',
      'encrypted encrypted encrypted sts barred',
      'barred barred barred barred barred',
      'encrypted encrypted encrypted sts barred',
    ]);
  });

  it('CMD-TLS-10 does exactly as it is told otherwise', () => {
    const all = (tls: string) =>
      danes.map(() =>
        Object.keys(policies)
          .map(() => tls)
          .join(' '),
      );
    expect(decisions('none', false)).toEqual(all('clear'));
    expect(decisions('may', false)).toEqual(all('opportunistic'));
    expect(decisions('encrypt', false)).toEqual(all('encrypted'));
    expect(decisions('verify', false)).toEqual(all('verified'));
    expect(decisions('mta-sts', false)).toEqual(danes.map(() => 'barred barred barred sts barred'));
    expect(decisions('dane', false)).toEqual([
      'dane dane dane dane dane',
      ...danes.slice(1).map(() => 'barred barred barred barred barred'),
    ]);
  });
});

describe('createDomainTls', () => {
  it('CMD-TLS-10 takes what is said of a domain exactly, the first that fits, and raises nothing but the default', () => {
    const tlsFor = createDomainTls({
      default: 'may',
      domains: {
        'strict.example': { level: 'verify', names: ['.host.example'] },
        '*.example': { level: 'none' },
        '*.weak.test': { level: 'may' },
      },
    });
    expect(tlsFor('strict.example')).toEqual({ level: 'verify', raised: false, names: ['.host.example'] });
    expect(tlsFor('other.example')).toEqual({ level: 'none', raised: false });
    expect(tlsFor('a.weak.test')).toEqual({ level: 'may', raised: false });
    expect(tlsFor('weak.test')).toEqual({ level: 'may', raised: true });
    const raised = tlsLevels.filter((level) => createDomainTls({ default: level, domains: {} })('x.test').raised);
    expect(raised).toEqual(['may', 'encrypt']);
  });
});
