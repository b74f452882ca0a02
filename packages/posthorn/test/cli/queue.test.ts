import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlOf } from '../../src/cli/control-of.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { checkConfig } from '../../src/config/check-config.ts';
import type { Config } from '../../src/config/schema.ts';
import { controlPath } from '../../src/control/control-path.ts';
import { startControl } from '../../src/control/control-server.ts';
import type { QueueStore } from '../../src/queue/queue-store.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
let config: Config;
let ids: string[];

async function run(...words: string[]) {
  const terminal = fakeTerminal({ folder: folder() });
  const code = await runCommand(['queue', ...words, '--config', 'posthorn.json'], terminal);
  return { code, output: terminal.output(), said: terminal.said() };
}

async function listed(): Promise<string[]> {
  const { output } = await run('list', '--json');
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).envelope.id);
}

async function fill(
  store: QueueStore,
  senders: readonly string[] = ['alice@example.org', 'bob@example.org', ''],
  about: { readonly heldUntil?: number } = {},
): Promise<string[]> {
  const made: string[] = [];
  for (const [index, sender] of senders.entries()) {
    const id = store.newId();
    const content = Buffer.from('Subject: x\r\n\r\nx\r\n');
    const recipients = [{ address: `one@site${index}.example` }, { address: 'two@site.example' }];
    const origin = { clientAddress: '192.0.2.1' };
    const envelope = {
      id,
      reversePath: sender,
      recipients,
      receivedAt: Date.now() - 7_200_000,
      size: content.length,
      body: '7BIT',
      smtputf8: false,
      origin,
      ...about,
    } as const;
    await store.add([{ envelope, content }]);
    const said = { code: 451, lines: ['later,\u001b[2J please'] };
    const last = {
      kind: 'deferred',
      status: '4.3.0',
      at: Date.now(),
      reply: said,
      remoteHost: 'mx.site.example',
    } as const;
    const states = recipients.map(() => ({ kind: 'pending', attempts: 2, last }) as const);
    await store.change(id, () => ({
      state: { due: Date.now() + 3_600_000, held: index === 1, recipients: states },
      reports: [],
    }));
    made.push(id);
  }
  return made;
}

beforeEach(async () => {
  const input = { hostname: 'mx.example.org', dataDir: join(folder(), 'data'), listeners: [{ role: 'mx', port: 0 }] };
  writeFileSync(join(folder(), 'posthorn.json'), JSON.stringify(input));
  const checked = checkConfig(input);
  if (!('config' in checked)) throw new Error('faulty');
  config = checked.config;
});

const sides = ['no server', 'a server'] as const;

describe.each(sides)('the queue, while %s runs', (side) => {
  let end: () => Promise<void>;

  beforeEach(async () => {
    const store = await openSpool({ path: join(config.dataDir, 'spool'), now: Date.now });
    ids = await fill(store);
    if (side === 'no server') {
      await store.close();
      end = async () => {};
      return;
    }
    const control = await startControl(controlPath(config.dataDir), {
      queue: controlOf(config, { store, wake: () => {} }),
      status: () => ({ pid: 1, startedAt: 0, listeners: [], messages: store.count(), inHand: 0, sessions: 0 }),
      reload: async () => ({ kind: 'reloaded', needsRestart: [] }),
    });
    end = async () => {
      await control.close();
      await store.close();
    };
  });

  afterEach(() => end());

  it('is listed for people, with what holds each message up', async () => {
    const { code, output } = await run('list');
    expect(code).toBe(0);
    const lines = output.trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatch(/^ID +AGE +SIZE +SENDER +RECIPIENTS +STATE +LAST/);
    expect(lines[1]).toMatch(
      new RegExp(
        `^${ids[0]} +2h +17 +alice@example.org +one@site0.example and 1 more +due in (59m|1h) +mx.site.example: 4.3.0 451 later,\\?\\[2J please`,
      ),
    );
    expect(lines[2]).toMatch(/bob@example.org .* held /);
    expect(lines[3]).toMatch(/ <> /);
    expect(lines[4]).toBe('3 messages');
  });

  it('is filtered by sender, recipient, domain and state', async () => {
    const found = async (...words: string[]) => (await run('list', '--json', ...words)).output.split('\n').length - 1;
    expect(await found('--sender', 'alice@example.org')).toBe(1);
    expect(await found('--sender', '')).toBe(1);
    expect(await found('--recipient', 'one@site1.example')).toBe(1);
    expect(await found('--domain', 'site.example')).toBe(3);
    expect(await found('--held')).toBe(1);
    expect(await found('--limit', '2')).toBe(2);
    expect((await run('list', '--sender', 'nobody@example.org')).output).toBe('The queue is empty.\n');
  });

  it('shows one message, for people and for programs', async () => {
    const { output } = await run('show', ids[0] ?? '');
    expect(output).toContain('alice@example.org');
    expect(output).toMatch(/To +one@site0.example: pending, 2 tries; 20\S+Z: mx.site.example: 4.3.0 451 later/);
    expect(output).not.toContain('\u001b');
    expect(JSON.parse((await run('show', '--json', ids[0] ?? '')).output)).toMatchObject({ envelope: { id: ids[0] } });
    expect(await run('show', 'nobody')).toMatchObject({ code: 1, said: expect.stringContaining('no message nobody') });
  });

  it('is changed by id, by filter, or as a whole', async () => {
    expect(await run('hold', ids[0] ?? '')).toMatchObject({ code: 0, output: 'hold: 1 of 1\n' });
    expect(await run('release', '--held')).toMatchObject({ code: 0, output: 'release: 2 of 2\n' });
    expect(await run('retry', '--all')).toMatchObject({ code: 0, output: 'retry: 3 of 3\n' });
    expect((await run('list')).output).not.toMatch(/held|due in/);
    expect(await run('bounce', '--sender', 'alice@example.org')).toMatchObject({ code: 0 });
    expect((await run('list', '--recipient', 'alice@example.org')).output).toMatch(/1 message\n$/);
    expect(await run('delete', '--all')).toMatchObject({ code: 0, output: 'delete: 3 of 3\n' });
    expect(await listed()).toEqual([]);
  });

  it('is only listed by a dry run', async () => {
    const { code, output } = await run('delete', '--all', '--dry-run');
    expect(code).toBe(0);
    expect(output).toMatch(/3 messages\n$/);
    expect((await run('delete', ids[1] ?? '', 'nobody', '--dry-run')).output).toMatch(/1 message\n$/);
    expect(await listed()).toEqual(ids);
  });

  it('tells what could not be done, and ends with 1', async () => {
    const { code, output, said } = await run('delete', ids[2] ?? '', 'nobody');
    expect({ code, output, said }).toEqual({
      code: 1,
      output: 'delete: 1 of 2\n',
      said: 'nobody: is not in the queue\n',
    });
    const json = await run('delete', '--json', 'nobody');
    expect(JSON.parse(json.output)).toEqual({ id: 'nobody', action: 'delete', result: 'absent' });
  });
});

describe('a queue with mail that is to be released later', () => {
  it('EXT-FUT-2 leaves that mail alone when all is tried, and fails only for mail that was named', async () => {
    const store = await openSpool({ path: join(config.dataDir, 'spool'), now: Date.now });
    const [held = ''] = await fill(store, ['alice@example.org'], { heldUntil: Date.now() + 3_600_000 });
    await fill(store);
    await store.close();
    expect(await run('retry', '--all')).toMatchObject({ code: 0, output: 'retry: 3 of 4\n' });
    expect(await run('retry', held)).toMatchObject({ code: 1, said: expect.stringContaining('released later') });
  });
});

describe('the queue of a server that never ran', () => {
  it.each([['list'], ['retry', '--all']])('is not made by looking at it: %s', async (...words) => {
    const { code, said } = await run(...words);
    expect(code).toBe(1);
    expect(said).toContain(`There is no spool at ${join(config.dataDir, 'spool')}. Name the configuration`);
  });
});
