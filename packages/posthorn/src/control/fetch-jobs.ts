import { Failure } from '@posthorn/smtp/failure/failure';
import type { FetchResult } from '../mta/fetch-mail.ts';
import type { RunningAgent } from '../mta/running-agent.ts';
import type { FetchControl, FetchState } from './fetch-control.ts';

/** Requests that are remembered, running ones included; the oldest go first. */
const most = 200;

/** Runs what other processes ask for, and remembers what came of it. */
export function createFetchJobs(fetch: RunningAgent['fetch']): FetchControl {
  const jobs = new Map<string, () => FetchState>();
  let count = 0;
  return {
    async start(request) {
      let tally: Pick<FetchState, 'messages' | 'octets'> = { messages: 0, octets: 0 };
      let result: FetchResult | undefined;
      const work = fetch(request, (started) => {
        tally = started;
      }).catch((error: unknown): FetchResult => {
        const said = error instanceof Failure ? error.message : 'The request failed';
        return { kind: 'failed', messages: tally.messages, octets: tally.octets, said: [said] };
      });
      void work.then((end) => {
        result = end;
      });
      count += 1;
      const id = String(count);
      const { size } = jobs.set(id, () => {
        const { messages, octets } = tally;
        return { messages, octets, ...(result === undefined ? {} : { result }) };
      });
      const [oldest] = jobs.keys();
      if (size > most && oldest !== undefined) jobs.delete(oldest);
      return id;
    },
    async state(id) {
      return jobs.get(id)?.();
    },
  };
}
