import { describe, expect, it } from 'vitest';
import { createStubResolver } from '../../src/dns/stub-resolver.ts';
import { hasKnot, knotProgram, startKnot } from './knot.ts';
import { describeResolver } from './resolver-suite.ts';

const noFiles = { resolvConf: '/nonexistent/resolv.conf', hostsFile: '/nonexistent/hosts' };

it.runIf(process.env.CI)('the name server of another make is installed where tests must not be left out', () => {
  expect(hasKnot, knotProgram).toBe(true);
});

describe.skipIf(!hasKnot)('against knotd', () => {
  describeResolver('the stub', async (zone) => {
    const knot = await startKnot(zone);
    const resolver = createStubResolver({ ...noFiles, servers: [knot.address] });
    return { resolver, [Symbol.asyncDispose]: () => knot[Symbol.asyncDispose]() };
  });

  it('takes an answer over TCP that knotd cuts off on UDP', async () => {
    const texts = Array.from({ length: 100 }, (_, index) => `text ${index} ${'x'.repeat(100)}`);
    await using knot = await startKnot({ 'large.test': { txt: texts } });
    const answer = await createStubResolver({ ...noFiles, servers: [knot.address] }).txt('large.test');
    expect(answer.kind === 'found' && [...answer.records].sort()).toEqual(texts.sort());
  });
});
