import { formatTextField } from '@posthorn/smtp/message/encoded-word';
import { reply } from '@posthorn/smtp/reply/reply';
import type { ContentChange, ContentVerdict } from './content-verdict.ts';

type Members = Readonly<Record<string, unknown>>;

/** Changes that are taken from one answer. */
const mostChanges = 1000;
const spam = 'The message was found to be spam';
const later = 'Try again later';

/** Reads what Rspamd says; undefined when that is no judgement. */
export function parseRspamdReply(text: string): ContentVerdict | undefined {
  const said = parseJson(text);
  if (said === undefined || typeof said.action !== 'string') return undefined;
  const message = isRecord(said.messages) ? said.messages.smtp_message : undefined;
  const words = typeof message === 'string' && message.trim() !== '' ? printable(message) : undefined;
  const milter = isRecord(said.milter) ? said.milter : {};
  const changes = [...headerChanges(milter), ...envelopeChanges(milter)];
  switch (said.action) {
    case 'reject':
      if (milter.reject === 'discard') return { kind: 'discard', reason: words ?? spam };
      if (milter.reject === 'quarantine') return pass([...changes, { kind: 'hold', reason: words ?? spam }]);
      return { kind: 'refuse', reply: reply(554, '5.7.1', words ?? spam) };
    case 'discard':
      return { kind: 'discard', reason: words ?? spam };
    case 'quarantine':
      return pass([...changes, { kind: 'hold', reason: words ?? spam }]);
    case 'soft reject':
    case 'greylist':
      return { kind: 'refuse', reply: reply(451, '4.7.1', words ?? later) };
    case 'rewrite subject':
      return pass([...changes, ...spamMark(milter), ...subject(said.subject)]);
    case 'add header':
      return pass([...changes, ...spamMark(milter)]);
    default:
      return pass(changes);
  }
}

function pass(changes: readonly ContentChange[]): ContentVerdict {
  return { kind: 'pass', changes: changes.slice(0, mostChanges) };
}

/** It comes in words that are encoded already, or in plain ones. */
function subject(text: unknown): ContentChange[] {
  if (typeof text !== 'string') return [];
  const said = text
    .replace(/[^\P{Cc}]/gu, ' ')
    .trim()
    .slice(0, 900);
  const value = /^[ -~]*$/.test(said) ? ` ${said}` : formatTextField('Subject', said).slice('Subject:'.length);
  return [{ kind: 'change', index: 1, name: 'Subject', value: Buffer.from(value) }];
}

/** The field by which mailboxes tell spam; Rspamd may name another. */
function spamMark({ spam_header: named }: Members): ContentChange[] {
  if (isRecord(named)) return Object.entries(named).flatMap(([name, value]) => added(name, value));
  return added(typeof named === 'string' ? named : 'X-Spam', 'Yes');
}

function headerChanges({ add_headers: adds, remove_headers: removes }: Members): ContentChange[] {
  const removed = isRecord(removes) ? Object.entries(removes).flatMap(([name, which]) => removal(name, which)) : [];
  const present = isRecord(adds) ? Object.entries(adds).flatMap(([name, value]) => added(name, value)) : [];
  return [...removed, ...present];
}

/** 0 takes all of them away, N the Nth; below 0 it counts from the end, which is where the last that was added is. */
function removal(name: string, which: unknown): ContentChange[] {
  if (!isFieldName(name)) return [];
  if (Array.isArray(which)) return which.flatMap((each) => removal(name, each));
  if (!Number.isSafeInteger(which) || (which as number) <= 0) return [{ kind: 'remove', name }];
  return [{ kind: 'change', index: which as number, name, value: Buffer.alloc(0) }];
}

/** A text, an object with `value` and `order`, or a list of them. */
function added(name: string, value: unknown): ContentChange[] {
  if (!isFieldName(name)) return [];
  if (Array.isArray(value)) return value.flatMap((each) => added(name, each));
  if (typeof value === 'string') return [{ kind: 'add', name, value: Buffer.from(` ${value}`) }];
  if (!isRecord(value) || typeof value.value !== 'string') return [];
  const bytes = Buffer.from(` ${value.value}`);
  const { order } = value;
  if (!Number.isSafeInteger(order) || (order as number) < 0) return [{ kind: 'add', name, value: bytes }];
  return [{ kind: 'insert', index: order as number, name, value: bytes }];
}

function envelopeChanges({ change_from: from, add_rcpt: adds, del_rcpt: removes }: Members): ContentChange[] {
  const sender: ContentChange[] = typeof from === 'string' ? [{ kind: 'sender', address: from, parameters: '' }] : [];
  return [
    ...sender,
    ...textsOf(removes).map((address) => ({ kind: 'remove-recipient', address }) as const),
    ...textsOf(adds).map((address) => ({ kind: 'add-recipient', address, parameters: '' }) as const),
  ];
}

function textsOf(value: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((each) => typeof each === 'string');
}

function isFieldName(name: string): boolean {
  return /^[!-9;-~]{1,70}$/.test(name);
}

function printable(text: string): string {
  return text.replace(/[^\P{Cc}]/gu, ' ').slice(0, 400);
}

function parseJson(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
