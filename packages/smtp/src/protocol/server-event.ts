import type { EtrnRequest } from '../command/turn-arguments.ts';
import type { Reply } from '../reply/reply.ts';
import type { Credentials, KeyRequest } from '../sasl/mechanism.ts';
import type { AcceptedRecipient, TextCommand, Transaction } from './transaction.ts';

/** Who the client says it is (RFC 5321 §4.1.1.1). */
export interface Hello {
  readonly verb: 'HELO' | 'EHLO' | 'LHLO';
  /** A domain or an address literal. */
  readonly name: string;
}

/**
 * What a session asks. Each awaits one answer, where none or a positive reply accepts; only `text` awaits nothing.
 * `message` is a text that is about to come; `chunk` the end of a BDAT chunk with more to follow; `abort` a text that
 * will never be complete; `forget` the client's sign that it will not ask again for what it named by TRANSID; `end` its end. `end` comes once, and in LMTP once per recipient (RFC 2033 §4.2).
 */
export type ServerEvent =
  | { readonly kind: 'connect' | 'secured' | 'starttls' | 'abort' | 'forget' }
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'turn' }
  | { readonly kind: 'etrn'; readonly request: EtrnRequest }
  | {
      readonly kind: 'atrn' /** In the client's order; none stands for all of the login. */;
      readonly domains: readonly string[];
    }
  | { readonly kind: 'authenticate'; readonly credentials: Credentials }
  | { readonly kind: 'keys'; readonly request: KeyRequest }
  | { readonly kind: 'mail'; readonly transaction: Transaction }
  | { readonly kind: 'message'; readonly transaction: Transaction; readonly by: TextCommand }
  | { readonly kind: 'recipient'; readonly recipient: AcceptedRecipient; readonly transaction: Transaction }
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'chunk' /** Octets of this chunk. */; readonly size: number }
  | {
      readonly kind: 'end';
      /** Index in the transaction's recipients; 0 when the reply is for all. */
      readonly recipient: number;
      /** The session refuses the text whatever the answer is. */
      readonly refused: Reply | undefined;
    }
  | {
      readonly kind: 'verify' | 'expand';
      readonly argument: string;
      /** Whether the reply may hold letters outside of ASCII (RFC 6531 §3.7.4.2). */
      readonly utf8: boolean;
    };

/** An event that awaits an answer. */
export type Question = Exclude<ServerEvent, { readonly kind: 'text' }>;
