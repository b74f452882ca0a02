import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectDomains } from '../../src/mta/selection.ts';

const name = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const pattern = fc.oneof(
  name,
  name.map((each) => `*.${each}`),
  fc.constant('*'),
);

describe('the domains that a request selects', () => {
  it('CMD-ETRN-6 are all that it means and is allowed, and are found by what it looks for', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 4 }), name, name, (domains, asked, domain) => {
        const selection = selectDomains({ kind: 'subdomains', name: asked }, { domains, queues: {} }, new Set());
        const isBelow = (one: string, other: string) => one.endsWith(`.${other}`);
        const isMeant = domain === asked || isBelow(domain, asked);
        const isAllowed = domains.some((each) =>
          each === '*' ? true : each.startsWith('*.') ? isBelow(domain, each.slice(2)) : each === domain,
        );
        expect(selection?.includes(domain) ?? false).toBe(isMeant && isAllowed);
        const isFound = selection?.queries.some(
          ({ domain: other, below }) => domain === other || (below === true && isBelow(domain, other)),
        );
        if (isMeant && isAllowed) expect(isFound).toBe(true);
      }),
    );
  });
});
