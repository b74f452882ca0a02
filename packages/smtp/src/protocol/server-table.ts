import type { Verb } from '../command/command.ts';

/**
 * Where a session is (RFC 5321 §4.1.4). `refused`: the greeting said no; `greeted`: no HELO or EHLO yet, or none since
 * TLS began; `ready`: no transaction; `mail`, `rcpt`: a sender, and one recipient at least; `chunks`: some of the text
 * came by BDAT; `resumed`: recipients and some of the text by DATA are there from an earlier session (RFC 1845 §3);
 * `broken`: a chunk was refused, so nothing but a reset makes sense (RFC 3030 §2); `turned`: the roles are
 * reversed, and the connection belongs to another session (RFC 2645 §5.3); `over`: nothing follows.
 */
export type ServerState =
  | 'refused'
  | 'greeted'
  | 'ready'
  | 'mail'
  | 'rcpt'
  | 'resumed'
  | 'chunks'
  | 'broken'
  | 'turned'
  | 'over';

/** A verb, where BDAT with LAST counts as one of its own. */
export type ServerInput = Verb | 'BDAT LAST';

type Row = Partial<Record<ServerInput, ServerState>>;

/** Changes nothing, in any state that is not refused (RFC 5321 §4.1.4). */
function idle(state: ServerState): Row {
  return { NOOP: state, HELP: state, VRFY: state, EXPN: state };
}

const opening: Row = { MAIL: 'mail', SEND: 'mail', SOML: 'mail', SAML: 'mail' };
const turning: Row = { ETRN: 'ready', ATRN: 'turned', TURN: 'turned' };
const restart: Row = { EHLO: 'ready', HELO: 'ready', LHLO: 'ready', STARTTLS: 'greeted', QUIT: 'over' };

/**
 * State × verb → state, entered only when the command earns a positive reply; DATA and BDAT LAST lead on when the final
 * reply is given, whatever it says. What is not in the table is a bad sequence of commands (RFC 5321 §4.1.4).
 */
export const serverTable: Readonly<Record<ServerState, Row>> = {
  refused: { QUIT: 'over' },
  greeted: { ...restart, ...idle('greeted'), RSET: 'greeted' },
  ready: { ...restart, ...idle('ready'), RSET: 'ready', AUTH: 'ready', ...opening, ...turning },
  mail: { ...restart, ...idle('mail'), RSET: 'ready', RCPT: 'rcpt' },
  rcpt: {
    ...restart,
    ...idle('rcpt'),
    RSET: 'ready',
    RCPT: 'rcpt',
    DATA: 'ready',
    BDAT: 'chunks',
    'BDAT LAST': 'ready',
  },
  resumed: {
    ...restart,
    ...idle('resumed'),
    RSET: 'ready',
    DATA: 'ready',
    BDAT: 'chunks',
    'BDAT LAST': 'ready',
  },
  chunks: { ...restart, ...idle('chunks'), RSET: 'ready', BDAT: 'chunks', 'BDAT LAST': 'ready' },
  broken: { ...restart, ...idle('broken'), RSET: 'ready' },
  turned: {},
  over: {},
};
