import type { Command } from 'commander';
import { type ActionResult, type QueueAction, queueActions } from '../control/queue-control.ts';
import type { QueuedMessage, QueueQuery } from '../queue/queue-store.ts';
import { Exit, exitCodes } from './exit.ts';
import { configOption, loadOrExit } from './load.ts';
import { withQueue } from './open-queue.ts';
import { formatList, formatMessage } from './queue-format.ts';
import type { Terminal } from './terminal.ts';

interface FilterOptions {
  readonly config?: string;
  readonly sender?: string;
  readonly recipient?: string;
  readonly domain?: string;
  readonly held?: boolean;
  readonly json?: boolean;
}

interface ActionOptions extends FilterOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

const descriptions: Readonly<Record<QueueAction, string>> = {
  retry: 'try messages at once, held ones too',
  hold: 'try messages no more until they are released',
  release: 'let held messages go on',
  bounce: 'give messages back to their senders',
  delete: 'forget messages, and tell nobody',
};

const reasons: Readonly<Record<Exclude<ActionResult, 'done'>, string>> = {
  busy: 'is being delivered right now; try again',
  absent: 'is not in the queue',
  early: 'is to be released later, as its sender asked; `posthorn queue show` says when',
};

const most = 1_000_000_000;

/** `posthorn queue …`: looks at the queue and changes it, whether a server runs or not. */
export function addQueue(program: Command, terminal: Terminal): void {
  const queue = program.command('queue').description('look at the queue and change it');
  addFilters(queue.command('list').description('list messages, oldest first'))
    .option('--limit <count>', 'at most so many', readCount)
    .action((options: FilterOptions & { limit?: number }) => list(options, terminal));
  queue
    .command('show <id>')
    .description('tell all about one message')
    .option(...configOption)
    .option('--json', 'write it as JSON')
    .action((id: string, options: FilterOptions) => show(id, options, terminal));
  for (const action of queueActions) {
    addFilters(queue.command(`${action} [id...]`).description(descriptions[action]))
      .option('--all', 'all messages')
      .option('--dry-run', 'only list what would be changed')
      .action((ids: string[], options: ActionOptions) => act(action, { ids, options, terminal }));
  }
}

function addFilters(command: Command): Command {
  return command
    .option(...configOption)
    .option('--sender <address>', 'only messages of this sender; "" for reports')
    .option('--recipient <address>', 'only messages to this recipient')
    .option('--domain <domain>', 'only messages to this domain')
    .option('--held', 'only held messages')
    .option('--json', 'write one line of JSON for each message');
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Exit('--limit must be a number from 1.', exitCodes.usage);
  return Number(text);
}

function queryOf({ sender, recipient, domain, held }: FilterOptions): QueueQuery {
  return {
    ...(sender === undefined ? {} : { sender }),
    ...(recipient === undefined ? {} : { recipient }),
    ...(domain === undefined ? {} : { domain }),
    ...(held === undefined ? {} : { held }),
  };
}

async function list(options: FilterOptions & { limit?: number }, terminal: Terminal): Promise<void> {
  const config = await loadOrExit(options.config, terminal);
  await withQueue(config, 'look', async (queue) => {
    const messages = queue.list({ ...queryOf(options), limit: options.limit ?? most });
    await writeList(messages, { json: options.json === true, terminal });
  });
}

async function writeList(
  messages: AsyncIterable<QueuedMessage>,
  { json, terminal }: { json: boolean; terminal: Terminal },
): Promise<void> {
  if (json) for await (const message of messages) terminal.out(`${JSON.stringify(message)}\n`);
  else for await (const text of formatList(messages, Date.now())) terminal.out(text);
}

async function show(id: string, options: FilterOptions, terminal: Terminal): Promise<void> {
  const config = await loadOrExit(options.config, terminal);
  const message = await withQueue(config, 'look', (queue) => queue.get(id));
  if (message === undefined) throw new Exit(`The queue has no message ${id}. See \`posthorn queue list\`.`);
  terminal.out(options.json ? `${JSON.stringify(message, undefined, 2)}\n` : formatMessage(message, Date.now()));
}

interface Acting {
  readonly ids: readonly string[];
  readonly options: ActionOptions;
  readonly terminal: Terminal;
}

async function act(action: QueueAction, { ids, options, terminal }: Acting): Promise<void> {
  const query = queryOf(options);
  const filtered = Object.keys(query).length > 0 || options.all === true;
  if (ids.length > 0 === filtered) {
    throw new Exit('Name messages by their ids, or by a filter, or say --all.', exitCodes.usage);
  }
  const config = await loadOrExit(options.config, terminal);
  const json = options.json === true;
  await withQueue(config, options.dryRun ? 'look' : 'change', async (queue) => {
    if (options.dryRun) {
      const wanted = filtered ? queue.list({ ...query, limit: most }) : present(ids, (id) => queue.get(id));
      return writeList(wanted, { json, terminal });
    }
    const chosen = filtered ? await idsOf(queue.list({ ...query, limit: most })) : ids;
    let undone = 0;
    let isFailed = false;
    for (const id of chosen) {
      const result = await queue.act(id, action);
      if (result !== 'done') undone += 1;
      // Among all messages those that are to wait were not meant.
      isFailed ||= result !== 'done' && !(filtered && result === 'early');
      if (json) terminal.out(`${JSON.stringify({ id, action, result })}\n`);
      else if (result !== 'done') terminal.say(`${id}: ${reasons[result]}\n`);
    }
    if (!json) terminal.out(`${action}: ${chosen.length - undone} of ${chosen.length}\n`);
    if (isFailed) throw new Exit('');
    return undefined;
  });
}

async function* present(
  ids: readonly string[],
  get: (id: string) => Promise<QueuedMessage | undefined>,
): AsyncIterable<QueuedMessage> {
  for (const id of ids) {
    const message = await get(id);
    if (message !== undefined) yield message;
  }
}

/** Taken down first: what is acted upon must not change the list while it is read. */
async function idsOf(messages: AsyncIterable<QueuedMessage>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { envelope } of messages) ids.push(envelope.id);
  return ids;
}
