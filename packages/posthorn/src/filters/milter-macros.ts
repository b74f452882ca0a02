import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { isSubmission } from '@posthorn/smtp/protocol/server-rules';
import type { AcceptedRecipient, Session, Transaction } from '@posthorn/smtp/server';
import type { MilterStage } from './milter-terms.ts';

/** What macros are made from. */
export interface MacroFacts {
  readonly hostname: string;
  readonly session: Session;
  readonly transaction?: Transaction;
  readonly recipient?: AcceptedRecipient;
  /** The queue id. */
  readonly id?: string;
}

/** The macros that a filter gets which does not choose. */
const usual: Partial<Readonly<Record<MilterStage, readonly string[]>>> = {
  connect: [
    'j',
    '_',
    'v',
    '{daemon_name}',
    '{daemon_addr}',
    '{daemon_port}',
    '{client_addr}',
    '{client_name}',
    '{client_port}',
    '{client_ptr}',
  ],
  hello: ['{tls_version}', '{cipher}'],
  mail: ['i', '{mail_addr}', '{mail_host}', '{auth_type}', '{auth_authen}'],
  recipient: ['i', '{rcpt_addr}', '{rcpt_host}'],
  data: ['i'],
  'header-end': ['i'],
  end: ['i'],
};

const unknownName = 'unknown';

/** What each macro stands for; nothing where that is not known now. */
const meanings: Readonly<Record<string, (facts: MacroFacts) => string | number | undefined>> = {
  j: ({ hostname }) => hostname,
  _: ({ session }) => `[${addressOf(session)}]`,
  v: () => 'Posthorn',
  i: ({ id }) => id,
  '{daemon_name}': ({ session }) => (isSubmission(session.role) ? 'submission' : session.role),
  '{daemon_addr}': ({ session }) => (session.localAddress === 'local' ? '127.0.0.1' : session.localAddress),
  '{daemon_port}': ({ session }) => session.localPort,
  '{client_addr}': ({ session }) => addressOf(session),
  '{client_name}': ({ session }) => nameOf(session) ?? unknownName,
  '{client_ptr}': ({ session }) => nameOf(session) ?? unknownName,
  '{client_port}': ({ session }) => session.clientPort,
  '{tls_version}': ({ session }) => session.tls?.protocol,
  '{cipher}': ({ session }) => session.tls?.cipher,
  // Which mechanism it was is nobody's business behind the login; that there was one is.
  '{auth_type}': ({ session }) => (session.login === undefined ? undefined : 'SASL'),
  '{auth_authen}': ({ session }) => session.login,
  '{mail_addr}': ({ transaction }) =>
    transaction && (transaction.reversePath === null ? '' : formatMailbox(transaction.reversePath)),
  '{mail_host}': ({ transaction }) => transaction?.reversePath?.domain,
  '{rcpt_addr}': ({ recipient }) => recipient && formatMailbox(recipient.mailbox),
  '{rcpt_host}': ({ recipient }) => recipient?.mailbox.domain,
};

/** Users of this host come from it. */
export function addressOf({ clientAddress }: Pick<Session, 'clientAddress'>): string {
  return clientAddress === 'local' ? '127.0.0.1' : clientAddress;
}

/** The name of the client, as far as it is known without asking for it. */
export function nameOf({ clientAddress }: Pick<Session, 'clientAddress'>): string | undefined {
  return clientAddress === 'local' ? 'localhost' : undefined;
}

/** The macros of a stage that stand for something now; `chosen` are those that the filter asked for. */
export function macrosOf(stage: MilterStage, facts: MacroFacts, chosen?: readonly string[]): [string, string][] {
  return (chosen ?? usual[stage] ?? []).flatMap((name): [string, string][] => {
    const value = Object.hasOwn(meanings, name) ? meanings[name]?.(facts) : undefined;
    return value === undefined ? [] : [[name, String(value)]];
  });
}
