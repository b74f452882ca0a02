import { connect } from 'node:net';
import type { Command } from 'commander';
import { Exit, exitCodes } from './exit.ts';
import { findSocket } from './find-socket.ts';
import { configOption } from './load.ts';
import type { Terminal } from './terminal.ts';

/** `posthorn smtp --stdio`: a session with the running server over standard input and output. */
export function addSmtp(program: Command, terminal: Terminal): void {
  program
    .command('smtp')
    .description('speak SMTP with the running server over standard input and output')
    .requiredOption('--stdio', 'standard input and output are the session')
    .option(...configOption)
    .action(async ({ config }: { readonly config?: string }) => talk(await findSocket(config, terminal), terminal));
}

/** Carries a session between the terminal and the socket of a server. Throws Exit when none runs. */
export async function talk(path: string, { stdin, out }: Terminal): Promise<void> {
  const socket = connect({ path, allowHalfOpen: true });
  let began = false;
  socket.setEncoding('utf8');
  socket.on('connect', () => {
    began = true;
    stdin.pipe(socket);
  });
  socket.on('data', (text: string) => out(text));
  socket.on('end', () => socket.end());
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', () => resolve());
    });
  } catch (error) {
    // A client that waits for a greeting gets one.
    if (!began) out('421 4.3.2 No server runs here\r\n');
    throw new Exit(
      `${path}: ${(error as Error).message}. Start the server, or name its configuration.`,
      exitCodes.temporary,
    );
  } finally {
    stdin.unpipe(socket);
    stdin.pause();
  }
}
