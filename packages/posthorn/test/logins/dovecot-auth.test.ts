import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DovecotAuth } from '../../src/logins/dovecot-auth.ts';

const greeting = 'VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\tabc\nDONE\n';

/** A service that answers each question as it is told. */
async function start(answer: (id: string, line: string, socket: Socket) => string | undefined, hello = greeting) {
  const folder = mkdtempSync(join(tmpdir(), 'dovecot-auth-'));
  const lines: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.write(hello);
    let rest = '';
    socket.on('data', (piece) => {
      const all = (rest + String(piece)).split('\n');
      rest = all.pop() ?? '';
      for (const line of all) {
        lines.push(line);
        const said = line.startsWith('AUTH\t') ? answer(line.split('\t')[1] ?? '', line, socket) : undefined;
        if (said !== undefined) socket.write(said);
      }
    });
  });
  const path = join(folder, 'auth');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const dovecot = new DovecotAuth(path, 2000);
  onTestFinished(() => {
    dovecot.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { path, dovecot, lines, sockets };
}

const question = { user: 'ann', password: 'pass\tword', clientAddress: '192.0.2.1', secure: true };
const passwordIn = (line: string) => Buffer.from(/resp=(.*)$/.exec(line)?.[1] ?? '', 'base64').toString();

describe('the authentication service of Dovecot', () => {
  it('is asked about a password, and says who the user is', async () => {
    const { dovecot, lines } = await start((id) => `OK\t${id}\tuser=ann@example.org\n`);
    expect(await dovecot.verify(question)).toBe('ann@example.org');
    expect(lines.slice(0, 2)).toEqual(['VERSION\t1\t1', `CPID\t${process.pid}`]);
    expect(lines[2]).toMatch(/^AUTH\t1\tPLAIN\tservice=smtp\tsecured\trip=192\.0\.2\.1\tresp=\S+$/);
    expect(passwordIn(lines[2] ?? '')).toBe('\0ann\0pass\tword');
  });

  it('answers many questions at once, in any order, over one connection', async () => {
    const held: string[] = [];
    const { dovecot, sockets } = await start((id, line) => {
      held.push(
        passwordIn(line).includes('\0right')
          ? `OK\t${id}\tuser=${passwordIn(line).split('\0')[1]}\n`
          : `FAIL\t${id}\tuser=x\n`,
      );
      return held.length === 20 ? held.reverse().join('') : undefined;
    });
    const asked = Array.from({ length: 20 }, (_, index) =>
      dovecot.verify({ ...question, user: `u${index}`, password: index % 2 === 0 ? 'right' : 'wrong' }),
    );
    expect(await Promise.all(asked)).toEqual(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? `u${index}` : undefined)),
    );
    expect(sockets).toHaveLength(1);
  });

  it.each([
    ['refused', (id: string) => `FAIL\t${id}\tuser=ann\ttemp\n`],
    ['refused', (id: string) => `FAIL\t${id}\tuser=ann\tcode=temp_fail\n`],
    ['refused', (id: string) => `CONT\t${id}\tAAAA\n`],
    ['timeout', () => undefined],
    ['timeout', () => 'OK\t99\tuser=root\n'],
    ['lost', (_: string, _line: string, socket: Socket) => void socket.destroy()],
    ['protocol', () => 'x'.repeat(10_000)],
  ])('CMD-AUTH-6 cannot tell (%s) when it fails, and is asked again later', async (kind, answer) => {
    let fails = true;
    const { dovecot } = await start((id, line, socket) =>
      fails ? (answer(id, line, socket) ?? undefined) : `OK\t${id}\tuser=ann\n`,
    );
    await expect(dovecot.verify(question)).rejects.toMatchObject({ name: 'Failure', kind });
    fails = false;
    expect(await dovecot.verify(question)).toBe('ann');
  });

  it('CMD-AUTH-6 cannot be asked where it does not greet, speaks another version, or is not there', async () => {
    const { dovecot } = await start(() => undefined, 'VERSION\t2\t0\nDONE\n');
    await expect(dovecot.verify(question)).rejects.toMatchObject({ name: 'Failure' });
    const silent = await start(() => undefined, 'VERSION\t1\t2\n');
    await expect(silent.dovecot.verify(question)).rejects.toMatchObject({ kind: 'timeout' });
    await expect(new DovecotAuth('/nonexistent/auth', 1000).verify(question)).rejects.toMatchObject({
      kind: 'unreachable',
    });
  });
});
