import { type ConversionPlan, ConversionPlanner, type Obstacle, type TransferForm } from './conversion-plan.ts';
import { ConversionWriter } from './conversion-writer.ts';
import { MimeScanner } from './mime-scanner.ts';

/** A message that can be read twice: at hand, or from where it is stored. */
export interface ReadableContent {
  /** The whole text when it is in hand. */
  readonly bytes?: Buffer;
  /** The text from its beginning, in pieces. */
  stream(): AsyncIterable<Buffer>;
}

/** What a message becomes for a host that does not take it as it is. */
export type Conversion =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'converted'; readonly bytes?: Buffer; stream(): AsyncIterable<Buffer> }
  | {
      readonly kind: 'impossible';
      readonly obstacle: Obstacle;
      /** What a report says of it (RFC 3463 §3.7). */
      readonly status: '5.6.0' | '5.6.2' | '5.6.3' | '5.6.5';
    };

/** What is signed must not be converted, what is not as its labels say cannot be, for the rest there is no way (RFC 3463 §3.7). */
const statuses = {
  sealed: '5.6.2',
  header: '5.6.3',
  'labelled-binary': '5.6.3',
  encoded: '5.6.5',
  structure: '5.6.5',
} as const satisfies Readonly<Record<Obstacle, string>>;

/** For what host a message is converted. */
export interface ConversionOptions {
  readonly target: TransferForm;
  /** What the sender declared of the content. */
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME';
}

/**
 * Converts a message so that a host without 8BITMIME or BINARYMIME can take it: 8-bit and binary parts become
 * quoted-printable or base64 at every level, their labels and those around them are corrected, no octet of what they
 * mean is lost. A message at hand is read once in memory; a large one is read twice in pieces (RFC 6152 §3, RFC 3030 §3).
 */
export async function convertContent(content: ReadableContent, options: ConversionOptions): Promise<Conversion> {
  const plan = await planConversion(content, options);
  if (plan.kind === 'unchanged') return plan;
  if (plan.kind === 'impossible') {
    const { obstacle, onlyLongLines } = plan;
    return { kind: 'impossible', obstacle, status: onlyLongLines ? '5.6.0' : statuses[obstacle] };
  }
  if (content.bytes === undefined) return { kind: 'converted', stream: () => rewrite(content.stream(), plan) };
  const bytes = rewriteWhole(content.bytes, plan);
  return { kind: 'converted', bytes, stream: () => onePiece(bytes) };
}

/** Whether a part of the message is labelled binary, at any level (RFC 3030 §3). */
export async function isLabelledBinary(content: ReadableContent): Promise<boolean> {
  let isLabelled = false;
  const scanner = new MimeScanner({
    part({ encoding }) {
      isLabelled ||= encoding === 'binary';
    },
    body: () => {},
    delimiter: () => {},
    filler: () => {},
  });
  for await (const piece of content.bytes === undefined ? content.stream() : [content.bytes]) {
    scanner.write(piece);
    if (isLabelled) return true;
  }
  scanner.end();
  return isLabelled;
}

async function planConversion(content: ReadableContent, { target, body }: ConversionOptions): Promise<ConversionPlan> {
  const planner = new ConversionPlanner();
  const scanner = new MimeScanner(planner);
  if (content.bytes !== undefined) scanner.write(content.bytes);
  else for await (const piece of content.stream()) scanner.write(piece);
  scanner.end();
  return planner.plan(target, body === 'BINARYMIME', scanner.limit);
}

type RewritePlan = Extract<ConversionPlan, { readonly kind: 'rewrite' }>;

function rewriteWhole(bytes: Buffer, plan: RewritePlan): Buffer {
  const writer = new ConversionWriter(plan.parts, plan.dropsFiller);
  const scanner = new MimeScanner(writer);
  scanner.write(bytes);
  scanner.end();
  writer.end();
  return writer.take();
}

async function* rewrite(pieces: AsyncIterable<Buffer>, plan: RewritePlan): AsyncGenerator<Buffer, void, undefined> {
  const writer = new ConversionWriter(plan.parts, plan.dropsFiller);
  const scanner = new MimeScanner(writer);
  for await (const piece of pieces) {
    scanner.write(piece);
    const written = writer.take();
    if (written.length > 0) yield written;
  }
  scanner.end();
  writer.end();
  yield writer.take();
}

async function* onePiece(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes;
}
