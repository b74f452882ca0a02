import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { controlPath } from '../../src/control/control-path.ts';
import { type ControlServer, type ControlTarget, startControl } from '../../src/control/control-server.ts';
import { watchTerminal } from '../../src/control/watch-terminal.ts';
import { mailIn, startTestAgent, type TestAgent, talk } from '../mta/fixture.ts';
import { fakeTerminal } from './fake-terminal.ts';

async function startShown(terminals = {}): Promise<{ test: TestAgent; control: ControlServer; path: string }> {
  const test = await startTestAgent((folder) => ({
    domains: { 'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['bob', 'ann'] } },
    ...terminals,
  }));
  const path = controlPath(test.config.dataDir);
  const shown = test.agent.terminals === undefined ? {} : { terminals: test.agent.terminals };
  return { test, path, control: await startControl(path, { ...shown } as unknown as ControlTarget) };
}

async function give(test: TestAgent, verb: string, text: string): Promise<string> {
  const replies = await talk(test.port, [
    { send: 'EHLO client.example\r\n', replies: 1 },
    { send: `${verb} FROM:<al@far.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n`, replies: 3 },
    { send: `Subject: Lunch\r\n\r\n${text}\r\n.\r\n`, replies: 1 },
  ]);
  return replies.at(-1) ?? '';
}

/** Runs `posthorn terminal`, and waits until it shows what comes. */
async function watch(test: TestAgent, address: string) {
  writeFileSync(
    join(test.folder, 'posthorn.json'),
    JSON.stringify({
      hostname: 'mx.example.org',
      dataDir: test.config.dataDir,
      listeners: [{ role: 'mx', port: 0 }],
    }),
  );
  const terminal = fakeTerminal({ folder: test.folder });
  const ended = runCommand(['terminal', address, '--config', 'posthorn.json'], terminal);
  return { terminal, ended };
}

describe('posthorn terminal', () => {
  it('CMD-SEND-2 shows what comes for its address as long as it runs', async () => {
    const { test, control } = await startShown({ terminals: {} });
    await using _ = test;
    const { terminal, ended } = await watch(test, 'bob+lunch@Example.ORG');
    await expect.poll(terminal.said).toContain('bob+lunch@Example.ORG');
    expect(await give(test, 'SEND', 'At noon? \x1b[2J')).toContain('250 2.0.0');
    await expect.poll(terminal.output).toContain('Subject: Lunch\n\nAt noon? ?[2J\n');
    await control.close();
    expect(await ended).toBe(1);
    expect(terminal.said()).toContain('The server has ended');
    expect(await give(test, 'SOML', 'Gone?')).toContain('250 2.0.0');
    expect((await mailIn(test, 'bob', 1))[0]).toContain('Gone?');
  }, 20_000);

  it('says why it shows nothing', async () => {
    const { test, control } = await startShown();
    await using _ = test;
    const { terminal, ended } = await watch(test, 'bob@example.org');
    expect(await ended).toBe(1);
    expect(terminal.said()).toContain('the configuration has none');
    await control.close();
    const alone = await watch(test, 'bob@example.org');
    expect(await alone.ended).toBe(1);
    expect(alone.terminal.said()).toContain('No server runs');
  }, 20_000);

  it('SEC-RES-1 leaves a terminal that is gone, and takes a bounded number of them', async () => {
    const { test, control, path } = await startShown({ terminals: {} });
    await using _ = test;
    const stops = Array.from({ length: 24 }, () => new AbortController());
    const ready: number[] = [];
    const watches = stops.map(({ signal }, at) =>
      watchTerminal(path, {
        address: 'ann@example.org',
        signal,
        onText: () => {},
        onReady: () => ready.push(at),
      }),
    );
    await expect.poll(() => ready.length).toBe(24);
    const signal = new AbortController().signal;
    await expect(watchTerminal(path, { address: 'ann@example.org', signal, onText: () => {} })).rejects.toMatchObject({
      message: 'There are too many terminals',
    });
    for (const stop of stops) stop.abort();
    await Promise.all(watches);
    await expect.poll(() => test.agent.terminals?.isActive('ann@example.org')).toBe(false);
    await expect(
      watchTerminal(path, { address: 'nobody@example.org', signal, onText: () => {} }),
    ).rejects.toMatchObject({ kind: 'refused' });
    await control.close();
  }, 20_000);
});
