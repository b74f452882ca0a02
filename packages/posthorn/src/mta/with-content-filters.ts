import type { ServerHandlers } from '@posthorn/smtp/server';
import type { ContentFilters } from './content-filters.ts';
import { unlessRefused } from './unless-refused.ts';

/** Has filters follow the sessions: they are asked about what nothing else refuses. Without filters nothing changes. */
export function withContentFilters(handlers: ServerHandlers, filters: ContentFilters | undefined): ServerHandlers {
  if (filters === undefined) return handlers;
  return {
    ...handlers,
    connect: (session) => unlessRefused(handlers.connect?.(session), () => filters.connect(session)),
    hello: (session, hello) =>
      unlessRefused(handlers.hello?.(session, hello), () => filters.hello(session, hello.name)),
    mail: (session, transaction) =>
      unlessRefused(handlers.mail?.(session, transaction), () => filters.mail(session, transaction)),
    recipient: (session, recipient, transaction) =>
      unlessRefused(handlers.recipient?.(session, recipient, transaction), () =>
        filters.recipient(session, recipient, transaction),
      ),
    data: (session, transaction) =>
      unlessRefused(handlers.data?.(session, transaction), () => filters.data(session, transaction)),
    close(session) {
      handlers.close?.(session);
      filters.closed(session);
    },
  };
}
