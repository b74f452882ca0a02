import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import type { ControlClient } from '../control/control-client.ts';
import type { FetchRequest, FetchResult } from '../mta/fetch-mail.ts';
import type { LogSink } from '../mta/log.ts';
import { Exit } from './exit.ts';
import { runningAgent } from './running-agent.ts';
import type { Terminal } from './terminal.ts';

/** What a request is made with. */
interface Means {
  readonly config: Config;
  readonly terminal: Terminal;
}

type Count = Pick<FetchResult, 'messages' | 'octets'>;

/** How often it is asked how far a running agent is, in milliseconds. */
const pause = 200;

/** Has mail fetched by the running agent if there is one, else by an agent that runs just for it: either way into its queue. */
export async function fetchOnce(request: FetchRequest, { config, terminal }: Means): Promise<FetchResult> {
  const progress = showProgress(terminal);
  try {
    const client = await runningAgent(config);
    if (client !== undefined) return await fetchByRunning(client, request, progress.show);
    return await fetchByOwn(config, request, { terminal, show: progress.show });
  } finally {
    progress.end();
  }
}

async function fetchByRunning(
  { fetch }: ControlClient,
  request: FetchRequest,
  show: (count: Count) => void,
): Promise<FetchResult> {
  const id = await fetch.start(request);
  for (;;) {
    const state = await fetch.state(id);
    if (state === undefined) throw new Exit('The running server has forgotten the request. Look into its log.');
    if (state.result !== undefined) return state.result;
    show(state);
    await wait(pause);
  }
}

/** It listens nowhere, fetches nothing else, and delivers what it can before it ends; the rest stays in the queue. */
async function fetchByOwn(
  config: Config,
  request: FetchRequest,
  { terminal, show }: { readonly terminal: Terminal; readonly show: (count: Count) => void },
): Promise<FetchResult> {
  const { startAgent } = await import('../mta/start-agent.ts');
  const agent = await startAgent({ config: { ...config, listeners: [], fetch: [] }, log: quietLog(terminal) });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await agent.fetch(request, (tally) => {
      timer = setInterval(() => show(tally), pause);
    });
  } finally {
    clearInterval(timer);
    await agent.close();
  }
}

/** What went wrong is said; all else shows in the result. */
function quietLog({ say }: Terminal): LogSink {
  const tell = (fields: object, text: string) => {
    const { err } = fields as { readonly err?: unknown };
    say(`${text}${err instanceof Error ? `: ${err.message}` : ''}\n`);
  };
  return { info() {}, warn: tell, error: tell };
}

function showProgress({ interactive, say }: Terminal): { show(count: Count): void; end(): void } {
  let isShown = false;
  return {
    show({ messages, octets }) {
      if (!interactive) return;
      isShown = true;
      say(`\r\x1b[Kfetching: ${messages} ${messages === 1 ? 'message' : 'messages'}, ${octets} octets`);
    },
    end() {
      if (isShown) say('\r\x1b[K');
    },
  };
}
