import { describe, it } from 'vitest';
import { startTestAgent } from '../mta/fixture.ts';
import { runGolden } from './run-golden.ts';

const folder = '../../../smtp/test/dialogues/server/';
const anybody = { deliver: 'discard:', mailboxes: '*' } as const;
const domains = {
  'Beta.ARPA': { deliver: 'discard:', mailboxes: ['Jones', 'Brown'] },
  'example.com': anybody,
  'παράδειγμα.δοκιμή': anybody,
  '测试.测试': anybody,
};

/** The connection is the event; queue ids are the agent's own, and nobody tells it that there is no room. */
function adapt(text: string): string {
  return text
    .replace(/^(?=S[:=] 220 )/m, 'X: connect 25\n')
    .replace(/^X: rules .*\n/m, '')
    .replace(/^S= (?=250 2\.0\.0 Ok: queued as)/gm, 'S: ')
    .replace(/^C: MAIL FROM:<crowded.*\nS: 452.*\n/m, '');
}

describe('the worked examples, played to the running agent', () => {
  it.each([
    ['EX-1', 'ex-1.txt', 'mx.example.test'],
    ['EX-5', 'ex-5.txt', 'BBN-UNIX.ARPA'],
    ['EX-8', 'ex-8.txt', 'mx.example.test'],
    ['EX-9', 'ex-9.txt', 'mx.example.test'],
    ['EX-10', 'ex-10.txt', 'mx.example.test'],
    ['EX-11', 'ex-11.txt', 'mx.example.test'],
    ['EX-12', 'ex-12.txt', 'mx.example.test'],
  ])('%s %s', async (_, file, hostname) => {
    await using host = await startTestAgent(() => ({ hostname, domains, limits: { messageSize: 14_680_064 } }));
    await runGolden(`${folder}${file}`, { plays: 'C', ports: { 25: host.port }, adapt });
  });
});
