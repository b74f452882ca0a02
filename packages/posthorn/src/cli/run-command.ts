import { readFileSync } from 'node:fs';
import { Failure } from '@posthorn/smtp/failure/failure';
import { Command, CommanderError } from 'commander';
import { addCheck } from './check.ts';
import { Exit, exitCodes } from './exit.ts';
import { addFetch } from './fetch.ts';
import { addProbe } from './probe.ts';
import { addQueue } from './queue.ts';
import { addReload } from './reload.ts';
import { addSend } from './send.ts';
import { addServe } from './serve.ts';
import { printable, type Terminal } from './terminal.ts';
import { addTrack } from './track.ts';
import { addUser } from './user.ts';

/** Runs one command and gives the exit code: 0 done, 1 failed, 2 wrongly called, 75 may succeed later. */
export async function runCommand(words: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await createProgram(terminal).parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    if (!(error instanceof Exit || error instanceof Failure)) throw error;
    if (error.message !== '') terminal.say(`posthorn: ${error.message.split('\n').map(printable).join('\n')}\n`);
    return error instanceof Exit ? error.code : exitCodes.failed;
  }
}

function createProgram(terminal: Terminal): Command {
  const program = new Command('posthorn')
    .description('Receives, keeps, relays and delivers mail.')
    .version(version())
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.say })
    .showSuggestionAfterError();
  for (const add of [addServe, addCheck, addSend, addTrack, addProbe, addFetch, addQueue, addReload, addUser])
    add(program, terminal);
  return program;
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
