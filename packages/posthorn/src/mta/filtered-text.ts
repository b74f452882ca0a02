import { Failure } from '@posthorn/smtp/failure/failure';
import { headerFields } from '@posthorn/smtp/message/header';
import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import type { ContentVerdict, FieldChange, FilteredContent } from '../filters/content-verdict.ts';
import { FieldList } from '../filters/field-list.ts';
import type { Draft, QueueStore } from '../queue/queue-store.ts';

/** Octets of a header that filters see and change; what is beyond counts as body (1 MiB). */
const headerLimit = 2 ** 20;
const lineEnd = Buffer.from('\r\n');

/** A text that filters look at one after the other, each at what those before have made of it. */
export class FilteredText {
  readonly #store: Pick<QueueStore, 'draft'>;
  readonly #draft: Draft;
  readonly #most: number;
  readonly #trace: Buffer;
  readonly #fields: FieldList;
  #separator: Buffer;
  /** Octets of the draft before its body. */
  readonly #bodyStart: number;
  /** Another body, in place of that of the draft. */
  #body: Draft | undefined;
  /** One that a filter is writing. */
  #written: Draft | undefined;
  #isChanged = false;

  private constructor({ store, draft, most }: FilteredTextParts, collector: HeaderCollector) {
    this.#store = store;
    this.#draft = draft;
    this.#most = most;
    const { header, rest } = collector;
    const traceEnd = endOfTrace(header);
    this.#trace = Buffer.from(header.subarray(0, traceEnd));
    this.#fields = new FieldList(this.#trace, Buffer.from(header.subarray(traceEnd)));
    this.#separator = Buffer.from(rest.subarray(0, /^\r?\n/.exec(rest.toString('latin1', 0, 2))?.[0].length ?? 0));
    this.#bodyStart = header.length + this.#separator.length;
  }

  /** Reads the header of a draft. Rejects with Failure `storage`. */
  static async open(parts: FilteredTextParts): Promise<FilteredText> {
    const collector = new HeaderCollector(headerLimit);
    for await (const piece of parts.draft.read()) if (collector.write(piece)) break;
    return new FilteredText(parts, collector);
  }

  /** The header as it stands, trace and all. */
  get header(): Buffer {
    return this.#fields.toBuffer();
  }

  /** What the next filter sees. */
  content(): FilteredContent {
    return {
      fields: this.#fields.seen,
      separator: this.#separator,
      bodySize: this.#body?.size ?? this.#draft.size - this.#bodyStart,
      body: () => this.#pieces(),
      writeBody: (piece) => this.#write(piece),
    };
  }

  /** Takes over what a filter has made of it. */
  async change(changes: readonly FieldChange[], { isBodyReplaced }: Pick<Pass, 'isBodyReplaced'>): Promise<void> {
    for (const change of changes) this.#fields.apply(change);
    this.#isChanged ||= changes.length > 0 || isBodyReplaced === true;
    if (isBodyReplaced !== true) return this.forget();
    await this.#body?.discard();
    this.#body = this.#written;
    this.#written = undefined;
    if (this.#separator.length === 0) this.#separator = lineEnd;
  }

  /** Forgets what a filter has written that is not wanted after all. */
  async forget(): Promise<void> {
    await this.#written?.discard();
    this.#written = undefined;
  }

  /** The draft with all changes: itself where there are none, else another one. Rejects with Failure `full` or `storage`. */
  async settle(): Promise<Draft> {
    if (!this.#isChanged) return this.#draft;
    const { id, isInHand } = this.#draft;
    const next = isInHand ? this.#store.draft(id) : this.#store.draft();
    try {
      await next.write(this.#fields.toBuffer(renamed(this.#trace, id, next.id)));
      next.write(this.#separator);
      for await (const piece of this.#pieces()) await next.write(piece);
      return next;
    } catch (error) {
      await next.discard();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.forget();
    await this.#body?.discard();
  }

  async *#pieces(): AsyncIterable<Buffer> {
    if (this.#body !== undefined) {
      yield* this.#body.read();
      return;
    }
    let before = this.#bodyStart;
    for await (const piece of this.#draft.read()) {
      const body = piece.subarray(before);
      before -= Math.min(before, piece.length);
      if (body.length > 0) yield body;
    }
  }

  #write(piece: Buffer): Promise<void> | undefined {
    this.#written ??= this.#store.draft();
    if (this.#written.size + piece.length > this.#most) {
      throw new Failure('limit', 'A filter wants a body that is larger than messages may be');
    }
    return this.#written.write(piece);
  }
}

type Pass = Extract<ContentVerdict, { kind: 'pass' }>;

/** What it is made of. */
export interface FilteredTextParts {
  readonly store: Pick<QueueStore, 'draft'>;
  readonly draft: Draft;
  /** Octets that a body may have. */
  readonly most: number;
}

/** What this host wrote ends with its Received field. */
function endOfTrace(header: Buffer): number {
  let end = 0;
  for (const { name, raw } of headerFields(header)) {
    end += raw.length;
    if (name === 'received') return end;
  }
  return 0;
}

/** The trace with another queue id. */
function renamed(trace: Buffer, id: string, next: string): Buffer {
  return id === next ? trace : Buffer.from(trace.toString('latin1').replace(id, next), 'latin1');
}
