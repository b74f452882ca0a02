import { expect, it } from 'vitest';
import { startTestAgent, talk } from './fixture.ts';

it('REP-521 GEN-6 ENH-3/5.3.2 a host that takes no mail says so to everybody, and closes', async () => {
  await using test = await startTestAgent(() => ({
    listeners: [{ role: 'none', host: '127.0.0.1', port: 0 }],
    domains: {},
  }));
  const replies = await talk(test.port, [{ send: 'EHLO client.example\r\n', replies: 1 }]);
  expect(replies).toEqual(['521 5.3.2 mx.example.org does not accept mail']);
  await expect.poll(() => test.agent.sessions()).toBe(0);
});
