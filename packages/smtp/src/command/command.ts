import type { Mailbox, ReversePath } from '../address/mailbox.ts';

/** An ESMTP parameter of MAIL or RCPT: keyword in upper case, value as it came (RFC 5321 §4.1.2). */
export interface Parameter {
  readonly keyword: string;
  readonly value?: string;
}

/** Every verb that Posthorn knows, served or not (RFC 5321 §4.1.1). */
export type Verb = Command['verb'];

/** One command as it stands on the wire (RFC 5321 §4.1.1). */
export type Command =
  | { readonly verb: 'HELO' | 'EHLO' | 'LHLO' /** Domain or literal. */; readonly name: string }
  | {
      readonly verb: 'MAIL' | 'SEND' | 'SOML' | 'SAML';
      readonly reversePath: ReversePath;
      readonly parameters: readonly Parameter[];
    }
  | { readonly verb: 'RCPT'; readonly forwardPath: Mailbox; readonly parameters: readonly Parameter[] }
  | { readonly verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS' | 'TURN' }
  | { readonly verb: 'NOOP' | 'HELP' | 'VRFY' | 'EXPN' | 'ETRN' | 'ATRN' | 'BURL'; readonly argument: string }
  | { readonly verb: 'BDAT' /** Octets that follow the line. */; readonly size: number; readonly last: boolean }
  | {
      readonly verb: 'AUTH';
      readonly mechanism: string /** Base64; `=` is present but empty. */;
      readonly initial?: string;
    };
