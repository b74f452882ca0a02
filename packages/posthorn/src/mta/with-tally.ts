import type { ServerHandlers } from '@posthorn/smtp/server';
import { FetchTally } from './fetch-tally.ts';

/** Has the sessions counted by which mail is fetched; to all others nothing changes. */
export function withTally(handlers: ServerHandlers): ServerHandlers {
  return {
    ...handlers,
    message(session, transaction, text) {
      const { state } = session;
      const answers = handlers.message(session, transaction, text);
      if (!(state instanceof FetchTally) || !(answers instanceof Promise)) return answers;
      return answers.then((answer) => {
        if ('code' in answer && answer.code < 300) state.add(text.size);
        return answer;
      });
    },
    close(session) {
      handlers.close?.(session);
      if (session.state instanceof FetchTally) session.state.onEnd?.();
    },
  };
}
