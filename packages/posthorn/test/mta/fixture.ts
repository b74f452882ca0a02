import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { checkConfig } from '../../src/config/check-config.ts';
import type { Config, ConfigInput } from '../../src/config/schema.ts';
import type { AgentOptions, RunningAgent } from '../../src/mta/running-agent.ts';
import { startAgent } from '../../src/mta/start-agent.ts';

/** A log that keeps its lines. */
export function memoryLog() {
  const lines: { level: string; fields: object; text: string }[] = [];
  const level = (name: string) => (fields: object, text: string) => lines.push({ level: name, fields, text });
  return { lines, info: level('info'), warn: level('warn'), error: level('error') };
}

export interface TestAgent extends AsyncDisposable {
  readonly agent: RunningAgent;
  readonly config: Config;
  readonly folder: string;
  readonly port: number;
  readonly log: ReturnType<typeof memoryLog>;
}

/** The configuration, or an exception that names its mistakes. */
export function configOf(input: unknown): Config {
  const checked = checkConfig(input);
  if (!('config' in checked)) throw new Error(JSON.stringify(checked.mistakes));
  return checked.config;
}

/** Starts an agent in a folder of its own on a free loopback port; all of it goes when it is disposed of. */
export async function startTestAgent(
  change: (folder: string) => Partial<ConfigInput> = () => ({}),
  more: Pick<AgentOptions, 'now' | 'judge'> = {},
): Promise<TestAgent> {
  const folder = mkdtempSync(join(tmpdir(), 'mta-'));
  const config = configOf({
    hostname: 'mx.example.org',
    dataDir: join(folder, 'data'),
    listeners: [{ role: 'mx', host: '127.0.0.1', port: 0 }],
    domains: { 'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: '*' } },
    ...change(folder),
  });
  const log = memoryLog();
  const agent = await startAgent({ config, log, ...more });
  const first = agent.listeners[0];
  return {
    agent,
    config,
    folder,
    log,
    port: first !== undefined && 'port' in first ? first.port : 0,
    async [Symbol.asyncDispose]() {
      await agent.close({ grace: 1000 });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until a Maildir holds so many messages, and gives them. */
export async function mailIn({ folder }: Pick<TestAgent, 'folder'>, box: string, count: number): Promise<string[]> {
  const path = join(folder, 'mail', box, 'new');
  const list = () => readdir(path).catch(() => []);
  await expect.poll(async () => (await list()).length, { timeout: 10_000 }).toBe(count);
  const names = (await list()).sort();
  return Promise.all(names.map((name) => readFile(join(path, name), 'latin1')));
}

/**
 * Sends lines one group after the other, each when the replies to the last are there; gives all that was answered. `first`
 * is sent before the greeting, as proxies do.
 */
export function talk(
  port: number,
  groups: readonly { readonly send: string; readonly replies: number }[],
  first = '',
): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const replies: string[] = [];
    let text = '';
    let wanted = 1;
    let next = 0;
    if (first !== '') socket.write(first);
    socket.setEncoding('latin1');
    socket.setTimeout(20_000, () => socket.destroy(new Error(`silence after ${replies.join(' | ')}`)));
    socket.on('error', reject);
    socket.on('close', () => resolve(replies));
    socket.on('data', (piece: string) => {
      text += piece;
      const lines = text.split('\r\n');
      text = lines.pop() ?? '';
      replies.push(...lines.filter((line) => line[3] === ' '));
      while (replies.length >= wanted) {
        const group = groups[next];
        if (group === undefined) return socket.end();
        next += 1;
        wanted += group.replies;
        socket.write(group.send, 'latin1');
      }
    });
  });
}

/** A message to send, with the parameters of its MAIL and RCPT commands. */
export interface Mail {
  /** `<path>` and what follows it. */
  readonly from?: string;
  readonly to: readonly string[];
  readonly text?: string;
}

/** Sends messages one behind the other in one session; gives the last reply to each. */
export async function sendMail(port: number, ...mails: readonly Mail[]): Promise<string[]> {
  const groups = mails.flatMap(({ from = '<bob@example.com>', to, text = 'Subject: x\r\n\r\nHello\r\n' }) => [
    {
      send: `MAIL FROM:${from}\r\n${to.map((each) => `RCPT TO:${each}\r\n`).join('')}DATA\r\n`,
      replies: to.length + 2,
    },
    { send: `${text}.\r\n`, replies: 1 },
  ]);
  const replies = await talk(port, [{ send: 'EHLO client.example\r\n', replies: 1 }, ...groups]);
  let last = 1;
  return mails.map(({ to }) => {
    last += to.length + 3;
    return replies[last] ?? '';
  });
}
