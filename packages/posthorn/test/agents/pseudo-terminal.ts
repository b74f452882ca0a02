import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A terminal that nobody sits at. */
export interface PseudoTerminal extends AsyncDisposable {
  /** Its device: `/dev/pts/…`. */
  readonly path: string;
  /** All that was shown on it. */
  readonly shown: string;
}

/** Opens a terminal whose messages are on, `mesg y`, or off. */
export async function openPseudoTerminal(mesg: 'y' | 'n' = 'y'): Promise<PseudoTerminal> {
  const command = `chmod g${mesg === 'y' ? '+' : '-'}w "$(tty)" && tty && exec cat`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    shown += piece;
  });
  while (!/\/dev\/\S+\r?\n/.test(shown)) await once(child.stdout, 'data');
  const path = /\/dev\/\S+/.exec(shown)?.[0] ?? '';
  return {
    path,
    get shown() {
      return shown;
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'close');
      // The end of its controlling side hangs up the command, too.
      child.kill('SIGKILL');
      await ended;
    },
  };
}
