import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';
import { describe, expect, it } from 'vitest';
import { createPipeAgent } from '../../src/agents/pipe.ts';
import type { NextHop } from '../../src/queue/next-hop.ts';
import { describeDeliveryAgent } from './delivery-agent-suite.ts';
import { contentInPieces, contentThatBreaks, type JobFacts, jobOf, moment } from './delivery-job.ts';
import { makeFolder } from './mailbox-folder.ts';

/** Where the tests run as root, programs run as nobody. */
const user = process.getuid?.() === 0 ? { user: { uid: 65_534, gid: 65_534 } } : {};
const agent = createPipeAgent({ now: () => moment, home: '/', timeLimit: 20_000, ...user });

async function give(
  command: string,
  facts: Partial<JobFacts> & { hop?: Partial<Extract<NextHop, { kind: 'pipe' }>> } = {},
) {
  const { hop, ...rest } = facts;
  const [outcome] = await agent.deliver(jobOf({ nextHop: { kind: 'pipe', key: '', command, ...hop }, ...rest }));
  return outcome;
}

/** A folder that programs can write to. */
async function openFolder() {
  const folder = await makeFolder();
  await chmod(folder.path, 0o777);
  return folder;
}

describeDeliveryAgent('the pipe agent', async () => {
  const folder = await openFolder();
  const command = `cat > ${folder.path}/$(date +%s%N)-$$`;
  return {
    agent,
    nextHop: { kind: 'pipe', key: command, command },
    async arrived() {
      const names = (await readdir(folder.path)).sort();
      return Promise.all(names.map((name) => readFile(join(folder.path, name), 'latin1')));
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

describe('the pipe agent', () => {
  it('LOC-AL-2 LOC-1 gives the message on standard input, with LF, Return-Path and Delivered-To', async () => {
    await using folder = await openFolder();
    const out = join(folder.path, 'out');
    const recipients = [{ address: 'team@example.org', originalRecipient: 'rfc822;Team@example.org' }];
    const outcome = await give(`cat > ${out}`, { recipients });
    expect(outcome).toMatchObject({ kind: 'delivered', status: '2.1.5', handover: 'final', at: moment });
    expect(await readFile(out, 'latin1')).toBe(
      'Return-Path: <ann@example.net>\nDelivered-To: team@example.org\nOriginal-Recipient: rfc822; Team@example.org\n' +
        'Received: from x\nSubject: h\xe9\n\nline \0 one\nline two\n',
    );
  });

  it('LOC-AL-2 runs unprivileged, in a minimal environment whose values are harmless words', async () => {
    await using folder = await openFolder();
    const out = join(folder.path, 'out');
    const envelope = { reversePath: '"-x;$(id) `y`"@example.net' };
    const recipients = [{ address: 'team+a/b@example.org' }];
    await give(`env > ${out}`, { envelope, recipients, hop: { extension: 'a/b' } });
    const lines = (await readFile(out, 'utf8')).trim().split('\n').sort();
    const env = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2) as [string, string]));
    expect(env).toMatchObject({
      SENDER: '_-x___id___y__@example.net',
      RECIPIENT: 'team+a/b@example.org',
      LOCAL: 'team+a/b',
      DOMAIN: 'example.org',
      EXTENSION: 'a/b',
      HOME: '/',
      PATH: '/usr/local/bin:/usr/bin:/bin',
    });
    expect(Object.keys(env).filter((name) => /NODE|VITEST|npm/i.test(name))).toEqual([]);
    expect(statSync(out).uid).not.toBe(0);
  });

  it('LOC-AL-2 ENH-3/5.3.5 ENH-5/5.5.0 takes exit codes for what sysexits(3) says', async () => {
    const expected: Readonly<Record<number, readonly [string, string]>> = {
      0: ['delivered', '2.1.5'],
      75: ['deferred', '4.3.0'],
      71: ['deferred', '4.3.0'],
      67: ['failed', '5.1.1'],
      68: ['failed', '5.1.2'],
      65: ['failed', '5.6.0'],
      73: ['failed', '5.2.0'],
      76: ['failed', '5.5.0'],
      77: ['failed', '5.7.0'],
      78: ['failed', '5.3.5'],
      1: ['failed', '5.3.0'],
      64: ['failed', '5.3.0'],
      127: ['failed', '5.3.0'],
    };
    const found = await Promise.all(
      Object.keys(expected).map(async (code) => {
        const outcome = await give(`exit ${code}`);
        return [code, [outcome?.kind, outcome?.status]] as const;
      }),
    );
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  it('LOC-AL-2 ends a program that takes too long with all that it started, and lets the message wait', async () => {
    await using folder = await openFolder();
    const started = join(folder.path, 'started');
    const slow = createPipeAgent({ now: () => moment, home: '/', timeLimit: 700, ...user });
    const command = `sleep 600 & echo $! > ${started}; wait`;
    const nextHop = { kind: 'pipe', key: '', command } as const;
    expect(await slow.deliver(jobOf({ nextHop }))).toMatchObject([
      { kind: 'deferred', status: '4.3.0', text: 'The program took too long' },
    ]);
    const child = Number(await readFile(started, 'latin1'));
    await expect.poll(() => isAlive(child)).toBe(false);
  });

  it('LOC-AL-2 is ended at a shutdown, and begins nothing then', async () => {
    await using folder = await openFolder();
    const ending = new AbortController();
    const begun = join(folder.path, 'begun');
    const delivery = give(`touch ${begun}; sleep 600`, { signal: ending.signal });
    await expect.poll(() => existsSync(begun)).toBe(true);
    ending.abort();
    expect(await delivery).toMatchObject({ kind: 'deferred', status: '4.3.2' });
    expect(await give(`touch ${begun}.2`, { signal: ending.signal })).toMatchObject({
      kind: 'deferred',
      status: '4.3.2',
    });
    expect(existsSync(`${begun}.2`)).toBe(false);
  });

  it('keeps the beginning of what a program says, however much, and needs nothing of it read', async () => {
    const outcome = await give('yes 1234567 | head -c 3000000; echo no >&2; exit 1');
    expect(outcome).toMatchObject({ kind: 'failed', status: '5.3.0' });
    expect(outcome?.text).toMatch(/^The program ended with 1: 1234567 1234567/);
    expect(outcome?.text?.length).toBeLessThan(400);
    const large = contentInPieces(Buffer.from(`A: b\r\n\r\n${'x'.repeat(3_000_000)}\r\n`), 65_536);
    expect(await give('exit 0', { content: large })).toMatchObject({ kind: 'delivered' });
    expect(await give('kill -TERM $$')).toMatchObject({ kind: 'deferred', text: 'The program was ended by SIGTERM' });
  });

  it('does not wait for what a program leaves running', async () => {
    const outcome = await give('sleep 5 & exit 0');
    expect(outcome).toMatchObject({ kind: 'delivered' });
  });

  it('lets the message wait when the program cannot begin, or the message cannot be read', async () => {
    const homeless = createPipeAgent({ now: () => moment, home: '/no/such/folder', timeLimit: 5000, ...user });
    const nextHop = { kind: 'pipe', key: '', command: 'exit 0' } as const;
    expect(await homeless.deliver(jobOf({ nextHop }))).toMatchObject([{ kind: 'deferred', status: '4.3.0' }]);
    const content = contentThatBreaks('A: b\r\n\r\nx\r\n', new Failure('storage', 'gone'));
    expect(await give('cat', { content })).toMatchObject({ kind: 'deferred', status: '4.3.0' });
    const bug = contentThatBreaks('A: b\r\n\r\nx\r\n', new Error('a bug'));
    await expect(give('cat', { content: bug })).rejects.toThrow('a bug');
  });

  it('LOC-1 gives no message to one alias twice', async () => {
    const text = 'Delivered-To: Team@example.org\r\nSubject: x\r\n\r\n';
    const outcome = await give('exit 0', { text, recipients: [{ address: 'team@example.org' }] });
    expect(outcome).toMatchObject({ kind: 'failed', status: '5.4.6' });
  });

  it('EXT-GSTN-2 EXT-GSTN-3 DSN-22 tells a gateway what to dial, and promises nothing behind it', async () => {
    await using folder = await openFolder();
    const out = join(folder.path, 'out');
    const recipients = [{ address: '"FAX=+39-02.03/t33s=0123/ISUB=4-5/POSTD=p1w7/ATTN=Tom & J.Smith"@fax.example' }];
    const command = `printf '%s|' "$SERVICE" "$NUMBER" "$SUBADDRESS" "$ISDN_SUBADDRESS" "$POST_DIAL" "$ATTENTION" > ${out}`;
    const outcome = await give(command, { recipients, hop: { gateway: true } });
    expect(outcome).toMatchObject({ kind: 'delivered', handover: 'without-dsn' });
    expect(await readFile(out, 'utf8')).toBe('FAX|+390203|0123|45|p1w7|Tom___J.Smith|');
  });
});

/** A process that has ended may wait for ever for a parent that asks how. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'latin1' });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}
