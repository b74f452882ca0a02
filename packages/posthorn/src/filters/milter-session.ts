import { isIP } from 'node:net';
import { formatMailbox, formatReversePath } from '@posthorn/smtp/address/mailbox';
import type { Parameter } from '@posthorn/smtp/command/command';
import { everyExtension, writeMailParameters, writeRcptParameters } from '@posthorn/smtp/command/parameters';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { Reply } from '@posthorn/smtp/reply/reply';
import type { AcceptedRecipient, Session, Transaction } from '@posthorn/smtp/server';
import type { ContentVerdict, FilteredContent } from './content-verdict.ts';
import { type FilterRules, fallbackReply } from './filter-rules.ts';
import { parseReplyText, replyOf } from './milter-answer.ts';
import { formatMilterCommand, type MilterClient, type MilterCommand, milterLetters } from './milter-command.ts';
import { addressOf, type MacroFacts, macrosOf, nameOf } from './milter-macros.ts';
import { sendContent } from './milter-message.ts';
import type { MilterReply } from './milter-reply.ts';
import { isSilent, isWanted, type MilterStage } from './milter-terms.ts';
import { type NegotiatedConnection, openMilter } from './open-milter.ts';

const reason = 'a filter wants it so';
const passes: ContentVerdict = { kind: 'pass', changes: [] };

/** What a session with a filter is made of. */
export interface MilterSessionParts extends Pick<MacroFacts, 'session' | 'hostname'> {
  readonly rules: FilterRules;
  /** Is told that the filter cannot be used. */
  readonly failed: (failure: Failure) => void;
}

/** What one filter says of one session of a client, stage by stage. */
export class MilterSession {
  readonly #parts: MilterSessionParts;
  #held: NegotiatedConnection | undefined;
  /** `passes`: it takes all of this client; `down`: it cannot be asked any more; `over`: the client is gone. */
  #state: 'open' | 'passes' | 'down' | 'over' = 'open';
  /** `open`: the filter waits for more of a message. */
  #message: 'none' | 'open' | 'passes' | 'discarded' = 'none';

  constructor(parts: MilterSessionParts) {
    this.#parts = parts;
  }

  /** Opens it: the refusal of a client, if it is one. That the filter is not there is told to MAIL. */
  async connect(): Promise<Reply | undefined> {
    const { session, rules } = this.#parts;
    const host = nameOf(session) ?? `[${addressOf(session)}]`;
    try {
      this.#held = await openMilter(rules);
      if ((this.#state as string) === 'over') {
        this.close();
        return undefined;
      }
      return await this.#exchange(this.#held, 'connect', { kind: 'connect', host, client: clientOf(session) });
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  async hello(name: string): Promise<Reply | undefined> {
    this.#abort();
    return this.#tell('hello', { kind: 'hello', name });
  }

  async mail(transaction: Transaction, id: string): Promise<Reply | undefined> {
    this.#abort();
    if (this.#state === 'down') return fallbackReply(this.#parts.rules.fallback);
    const path = formatReversePath(transaction.reversePath);
    const words = [path, ...writeMailParameters(transaction.mail, everyExtension).map(wordOf)];
    this.#message = 'open';
    const answer = await this.#tell('mail', { kind: 'mail', words }, { transaction, id });
    if (answer !== undefined) this.#message = 'none';
    return answer;
  }

  /** `transaction` holds the recipients before this one. */
  async recipient(recipient: AcceptedRecipient, transaction: Transaction, id: string): Promise<Reply | undefined> {
    if (this.#isOutOfIt) return this.#missing;
    const path = `<${formatMailbox(recipient.mailbox)}>`;
    const words = [path, ...writeRcptParameters(recipient.parameters, everyExtension).map(wordOf)];
    return this.#tell('recipient', { kind: 'recipient', words }, { transaction, recipient, id });
  }

  async data(transaction: Transaction, id: string): Promise<Reply | undefined> {
    if (this.#isOutOfIt) return this.#missing;
    return this.#tell('data', { kind: 'data' }, { transaction, id });
  }

  /** The text, and what becomes of it. Rejects only when the content cannot be read, or the signal is aborted. */
  async message(
    content: FilteredContent,
    facts: Pick<MacroFacts, 'transaction' | 'id'> & { readonly signal: AbortSignal },
  ): Promise<ContentVerdict> {
    if (this.#message === 'discarded') return { kind: 'discard', reason };
    const missing = this.#missing;
    if (missing !== undefined) return { kind: 'refuse', reply: missing };
    const held = this.#held;
    if (this.#isOutOfIt || held === undefined) return passes;
    const { signal, ...known } = facts;
    try {
      const macros = (stage: MilterStage) => this.#macros(held, stage, known);
      const end = await sendContent({ ...held, content, macros, signal, times: this.#parts.rules.times });
      // What it decided before it was told that this is all, it still waits for.
      if (end.isEarly) this.#abort();
      this.#message = 'none';
      if (end.last.kind === 'discard') return { kind: 'discard', reason };
      const reply = end.last.kind === 'accept' ? undefined : this.#judge(end.last, 'end');
      return reply === undefined ? end.verdict : { kind: 'refuse', reply };
    } catch (error) {
      this.#message = 'none';
      if (signal.aborted) {
        this.#drop();
        throw signal.reason;
      }
      const reply = this.#fail(error);
      return reply === undefined ? passes : { kind: 'refuse', reply };
    }
  }

  /** The client is gone. */
  close(): void {
    this.#abort();
    this.#state = 'over';
    this.#held?.connection.end(formatMilterCommand({ kind: 'quit' }));
    this.#held = undefined;
  }

  get #isOutOfIt(): boolean {
    return this.#state !== 'open' || this.#message !== 'open';
  }

  get #missing(): Reply | undefined {
    return this.#state === 'down' ? fallbackReply(this.#parts.rules.fallback) : undefined;
  }

  /** A message that the filter still waits for will not come. */
  #abort(): void {
    if (this.#message === 'open' && this.#state === 'open') {
      this.#held?.connection.send(formatMilterCommand({ kind: 'abort' }))?.catch(() => {});
    }
    this.#message = 'none';
  }

  /** The reply to a client, if the filter has one for it. */
  async #tell(stage: MilterStage, command: MilterCommand, known: Partial<MacroFacts> = {}): Promise<Reply | undefined> {
    if (this.#state !== 'open' || this.#held === undefined) return undefined;
    try {
      return await this.#exchange(this.#held, stage, command, known);
    } catch (error) {
      const answer = this.#fail(error);
      return stage === 'hello' ? undefined : answer;
    }
  }

  async #exchange(
    held: NegotiatedConnection,
    stage: MilterStage,
    command: MilterCommand,
    known: Partial<MacroFacts> = {},
  ): Promise<Reply | undefined> {
    const { connection, terms } = held;
    if (!isWanted(terms, stage)) return undefined;
    await connection.send(...this.#macros(held, stage, known), formatMilterCommand(command));
    if (isSilent(terms, stage)) return undefined;
    for (;;) {
      const said = await connection.receive(this.#parts.rules.times.reply);
      if (said.kind !== 'progress') return this.#judge(said, stage);
    }
  }

  /** What a reply means at a stage; throws Failure `protocol` for one that means nothing there. */
  #judge(said: MilterReply, stage: MilterStage): Reply | undefined {
    const isOfSession = stage === 'connect' || stage === 'hello';
    switch (said.kind) {
      case 'continue':
      case 'skip':
        return undefined;
      case 'accept':
        if (isOfSession) this.#state = 'passes';
        else this.#end('passes');
        return undefined;
      case 'discard':
        if (isOfSession) break;
        this.#end('discarded');
        return undefined;
      case 'reject':
      case 'tempfail':
      case 'shutdown':
        return replyOf(said.kind, stage === 'connect');
      case 'reply': {
        const reply = parseReplyText(said.text, stage === 'connect');
        if (reply !== undefined) return reply;
      }
    }
    throw new Failure('protocol', `a filter says ${said.kind} to ${stage}`);
  }

  /** The filter wants no more of this message. */
  #end(how: 'passes' | 'discarded'): void {
    this.#abort();
    this.#message = how;
  }

  #fail(error: unknown): Reply | undefined {
    if (!(error instanceof Failure)) throw error;
    // What was waited for when the client left does not come, and nobody needs it.
    if (this.#state === 'over') return undefined;
    this.#drop();
    this.#parts.failed(error);
    return fallbackReply(this.#parts.rules.fallback);
  }

  #drop(): void {
    this.#state = 'down';
    this.#held?.connection.destroy();
    this.#held = undefined;
  }

  #macros({ terms }: NegotiatedConnection, stage: MilterStage, known: Partial<MacroFacts>): Buffer[] {
    const { hostname, session } = this.#parts;
    const facts = { hostname, session, ...known };
    const values = macrosOf(stage, facts, terms.macros.get(stage));
    return values.length === 0 ? [] : [formatMilterCommand({ kind: 'macros', of: milterLetters[stage], values })];
  }
}

function wordOf({ keyword, value }: Parameter): string {
  return value === undefined ? keyword : `${keyword}=${value}`;
}

function clientOf(session: Session): MilterClient {
  const address = addressOf(session);
  const version = isIP(address);
  if (version === 0) return { family: 'unknown' };
  return { family: version === 4 ? 'ipv4' : 'ipv6', address, port: session.clientPort };
}
