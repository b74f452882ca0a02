import { readFileSync } from 'node:fs';
import { Failure } from '@posthorn/smtp/failure/failure';
import { Command, CommanderError } from 'commander';
import { addBatch } from './batch.ts';
import { addCheck } from './check.ts';
import { addDirectory } from './directory.ts';
import { addDkim } from './dkim.ts';
import { addDmarc } from './dmarc.ts';
import { Exit, exitCodes } from './exit.ts';
import { addExplain } from './explain.ts';
import { addFetch } from './fetch.ts';
import { addTerminal } from './mail-terminal.ts';
import { addProbe } from './probe.ts';
import { addQueue } from './queue.ts';
import { addReload } from './reload.ts';
import { addSend } from './send.ts';
import { addSendmail, runSendmail } from './sendmail.ts';
import { addServe } from './serve.ts';
import { addSmtp } from './smtp.ts';
import { printable, type Terminal } from './terminal.ts';
import { addTlsrpt } from './tlsrpt.ts';
import { addTrack } from './track.ts';
import { addUser } from './user.ts';

/**
 * Runs one command and gives the exit code: 0 done, 1 failed, 2 wrongly called, 75 may succeed later; of the commands that
 * stand for sendmail those of sysexits.h. `program` is the name that the process was called by.
 */
export async function runCommand(words: readonly string[], terminal: Terminal, program = 'posthorn'): Promise<number> {
  try {
    const sendmail = sendmailWords(program, words);
    if (sendmail === undefined) await createProgram(terminal).parseAsync(words, { from: 'user' });
    else await runSendmail(sendmail, terminal);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    if (!(error instanceof Exit || error instanceof Failure)) throw error;
    if (error.message !== '') terminal.say(`posthorn: ${error.message.split('\n').map(printable).join('\n')}\n`);
    return error instanceof Exit ? error.code : exitCodes.failed;
  }
}

/** What was asked of sendmail, by whatever name; undefined when it was not. */
function sendmailWords(program: string, words: readonly string[]): readonly string[] | undefined {
  if (/^(?:posthorn-)?sendmail$/.test(program)) return words;
  if (/^(?:posthorn-)?mailq$/.test(program)) return ['-bp', ...words];
  if (/^(?:posthorn-)?newaliases$/.test(program)) return ['-bi', ...words];
  return words[0] === 'sendmail' && words[1] !== '--help' ? words.slice(1) : undefined;
}

function createProgram(terminal: Terminal): Command {
  const program = new Command('posthorn')
    .description('Receives, keeps, relays and delivers mail.')
    .version(version())
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.say })
    .showSuggestionAfterError();
  for (const add of [
    addServe,
    addCheck,
    addSend,
    addTrack,
    addProbe,
    addExplain,
    addTlsrpt,
    addFetch,
    addQueue,
    addBatch,
    addSmtp,
    addSendmail,
    addTerminal,
    addDirectory,
    addReload,
    addUser,
    addDkim,
    addDmarc,
  ])
    add(program, terminal);
  return program;
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
