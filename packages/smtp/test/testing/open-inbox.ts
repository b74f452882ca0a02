import { type Client, type ClientOptions, createClient } from '@posthorn/smtp/client';
import { createInbox, type Inbox, type InboxOptions } from '@posthorn/smtp/testing';
import { onTestFinished } from 'vitest';

/** An inbox that is closed when the test ends. */
export async function openInbox(options: InboxOptions = {}): Promise<Inbox> {
  const inbox = await createInbox(options);
  onTestFinished(() => inbox.close());
  return inbox;
}

/** A client that sends to an inbox, closed when the test ends. */
export function clientOf({ host, port }: Inbox, options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ host, port, ...options } as ClientOptions);
  onTestFinished(() => client.close());
  return client;
}
