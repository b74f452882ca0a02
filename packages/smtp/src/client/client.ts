import type { ConnectOptions } from './connect-client.ts';
import { connectDiscovered, type DiscoveredOptions } from './connect-discovered.ts';
import type { Patience } from './job.ts';
import { type ClientMessage, toParcel } from './message.ts';
import { defaultPoolLimits, Pool, type PoolLimits } from './pool.ts';
import type { SendResult } from './send-result.ts';

export type { ConnectOptions, Tls } from './connect-client.ts';
export type { DiscoveredOptions } from './connect-discovered.ts';
export type { ClientCredentials, ClientMechanismName } from './credentials.ts';
export type { Discovery, SubmissionHost } from './discover-submission.ts';
export { discoverSubmission } from './discover-submission.ts';
export type { ClientEnvelope, ClientRecipient } from './envelope.ts';
export type { Patience } from './job.ts';
export type { ClientMessage, MessageToCompose, RawMessage } from './message.ts';
export type { PoolLimits } from './pool.ts';
export type { ConnectionFailure, RecipientResult, SendResult } from './send-result.ts';
export type { Text } from './text-source.ts';

/** Where a client sends to, and how many connections it keeps. */
export type ClientOptions = (ConnectOptions | DiscoveredOptions) & { readonly limits?: Partial<PoolLimits> };

/** Sends messages to one host over connections that it keeps. */
export interface Client extends AsyncDisposable {
  /**
   * Sends a message. Whatever the host or the network does is a result per recipient. It rejects with Failure `invalid`
   * for what is wrong with the message itself, `limit` when too many messages wait, `aborted` when the client is closed.
   */
  send(message: ClientMessage, patience?: Patience): Promise<SendResult>;
  /** Sends what waits, then ends all connections with QUIT. */
  close(): Promise<void>;
}

/** Milliseconds that one message may take unless the caller says otherwise: longer than the reply to a text may. */
const defaultDeadline = 15 * 60_000;

/** Makes a client; nothing is opened before the first message. */
export function createClient(options: ClientOptions): Client {
  const pool = new Pool((signal) => connectDiscovered(options, signal), { ...defaultPoolLimits, ...options.limits });
  const close = () => pool.close();
  return {
    send: async (message, { signal, deadline = defaultDeadline } = {}) => {
      const parcel = toParcel(message);
      return pool.send(parcel instanceof Promise ? await parcel : parcel, { signal, deadline });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
