import { basename } from 'node:path';
import { runCommand } from './run-command.ts';
import { processTerminal } from './terminal.ts';

const [, program = '', ...words] = process.argv;
process.exitCode = await runCommand(words, processTerminal(), basename(program));
