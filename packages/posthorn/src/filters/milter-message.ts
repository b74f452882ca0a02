import { Failure } from '@posthorn/smtp/failure/failure';
import { HeaderField } from '@posthorn/smtp/message/header';
import type { ContentChange, ContentVerdict, FilteredContent } from './content-verdict.ts';
import type { FilterTimes } from './filter-rules.ts';
import { bodyChunk, formatBodyHead, formatMilterCommand } from './milter-command.ts';
import type { MilterConnection } from './milter-connection.ts';
import type { MilterReply } from './milter-reply.ts';
import { isSilent, isWanted, keepsLeadingBlank, type MilterStage, type MilterTerms } from './milter-terms.ts';

/** One message on its way to a filter. */
export interface MilterMessage {
  readonly connection: MilterConnection;
  readonly terms: MilterTerms;
  readonly content: FilteredContent;
  readonly macros: (stage: MilterStage) => readonly Buffer[];
  readonly times: FilterTimes;
  readonly signal: AbortSignal;
}

/** How it ended. */
export interface MilterEnd {
  /** The reply that decides. */
  readonly last: MilterReply;
  /** Whether that came before the filter was told that this is all. */
  readonly isEarly: boolean;
  /** What it wants of the message, where the last reply takes it. */
  readonly verdict: ContentVerdict;
}

/** Changes of one message, and octets of them, beyond which a filter is out of its mind. */
const mostChanges = 1000;
const mostOctets = 2 ** 20;

const blank = 0x20;
const nothing: ContentVerdict = { kind: 'pass', changes: [] };

/** Sends header and body, and gathers what the filter wants changed. Throws Failure. */
export async function sendContent(message: MilterMessage): Promise<MilterEnd> {
  const early = (await sendHeader(message)) ?? (await sendBody(message));
  if (early !== undefined) return { last: early, isEarly: true, verdict: nothing };
  return conclude(message);
}

/** The reply that ends it before its time. */
type Early = MilterReply | undefined;

async function sendHeader(message: MilterMessage): Promise<Early> {
  const { terms, content } = message;
  if (isWanted(terms, 'field')) {
    for (const raw of content.fields) {
      const field = fieldOf(raw, keepsLeadingBlank(terms));
      if (field === undefined) continue;
      const early = await ask(message, 'field', [formatMilterCommand({ kind: 'field', ...field })]);
      if (early?.kind === 'skip') break;
      if (early !== undefined) return early;
    }
  }
  if (!isWanted(terms, 'header-end')) return undefined;
  return ask(message, 'header-end', [...message.macros('header-end'), formatMilterCommand({ kind: 'header-end' })]);
}

async function sendBody(message: MilterMessage): Promise<Early> {
  if (!isWanted(message.terms, 'body')) return undefined;
  for await (const piece of message.content.body()) {
    for (let start = 0; start < piece.length; start += bodyChunk) {
      const bytes = piece.subarray(start, start + bodyChunk);
      const early = await ask(message, 'body', [formatBodyHead(bytes.length), bytes]);
      if (early?.kind === 'skip') return undefined;
      if (early !== undefined) return early;
    }
  }
  return undefined;
}

/** Sends packets of a stage; gives the reply to them if it is not to go on. */
async function ask(message: MilterMessage, stage: MilterStage, packets: readonly Buffer[]): Promise<Early> {
  const { connection, times, signal } = message;
  const room = connection.send(...packets);
  if (room !== undefined) await room;
  if (isSilent(message.terms, stage)) return undefined;
  for (;;) {
    const said = await connection.receive(times.reply, signal);
    if (said.kind === 'continue') return undefined;
    if (said.kind !== 'progress') return said;
  }
}

async function conclude({ connection, terms, content, macros, times, signal }: MilterMessage): Promise<MilterEnd> {
  await connection.send(...macros('end'), formatMilterCommand({ kind: 'end' }));
  const changes: ContentChange[] = [];
  let octets = 0;
  let replaced: { readonly isBodyReplaced?: true } = {};
  for (;;) {
    const said = await connection.receive(times.message, signal);
    if (said.kind === 'change') {
      octets += octetsOf(said.change);
      if (changes.push(withBlank(said.change, terms)) > mostChanges || octets > mostOctets) {
        throw new Failure('limit', 'a filter wants too many changes');
      }
    } else if (said.kind === 'body') {
      replaced = { isBodyReplaced: true };
      const room = content.writeBody(said.bytes);
      if (room !== undefined) await room;
    } else if (said.kind !== 'progress') {
      return { last: said, isEarly: false, verdict: { kind: 'pass', changes, ...replaced } };
    }
  }
}

function octetsOf(change: ContentChange): number {
  return 'value' in change ? change.value.length : 0;
}

/** A filter that was not sent the blank behind the colon does not send it either. */
function withBlank(change: ContentChange, terms: MilterTerms): ContentChange {
  if (!('value' in change) || change.value.length === 0 || keepsLeadingBlank(terms)) return change;
  return { ...change, value: Buffer.concat([Buffer.of(blank), change.value]) };
}

/** Name and value of a field, lines parted by LF as filters have it; undefined for a line that is no field. */
function fieldOf(raw: Buffer, keepsBlank: boolean): { name: string; value: Buffer } | undefined {
  if (new HeaderField(raw).name === '') return undefined;
  const colon = raw.indexOf(0x3a);
  const start = !keepsBlank && raw[colon + 1] === blank ? colon + 2 : colon + 1;
  const name = raw.toString('latin1', 0, colon).trimEnd();
  const value = raw.subarray(start).toString('latin1').replaceAll('\r\n', '\n');
  return { name, value: Buffer.from(value.endsWith('\n') ? value.slice(0, -1) : value, 'latin1') };
}
