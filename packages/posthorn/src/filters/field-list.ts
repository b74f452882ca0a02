import { HeaderField, headerFields } from '@posthorn/smtp/message/header';
import type { FieldChange } from './content-verdict.ts';

const lf = 0x0a;

/** The fields of a message, to be changed: those of its own, and the trace of this host, which filters neither see nor change. */
export class FieldList {
  readonly #trace: Buffer;
  readonly #fields: Buffer[];

  constructor(trace: Buffer, header: Buffer) {
    this.#trace = trace;
    this.#fields = [trace, ...Array.from(headerFields(header), ({ raw }) => raw)];
  }

  /** What filters see. */
  get seen(): Buffer[] {
    return this.#fields.filter((field) => field !== this.#trace);
  }

  /** All of it, with the trace as it is, or another one. */
  toBuffer(trace = this.#trace): Buffer {
    return Buffer.concat(this.#fields.map((field) => (field === this.#trace ? trace : field)));
  }

  apply(change: FieldChange): void {
    switch (change.kind) {
      case 'add':
        this.#insert(this.#fields.length, change);
        break;
      case 'insert':
        this.#insert(change.index, change);
        break;
      case 'change':
        this.#change(change);
        break;
      case 'remove':
        for (const at of this.#named(change.name).reverse()) this.#fields.splice(at, 1);
    }
  }

  #insert(index: number, { name, value }: { readonly name: string; readonly value: Buffer }): void {
    const at = Math.min(index, this.#fields.length);
    const before = this.#fields[at - 1];
    // A text that ends within its header may lack the last line end.
    if (before !== undefined && before.length > 0 && before[before.length - 1] !== lf) {
      this.#fields[at - 1] = Buffer.concat([before, Buffer.from('\r\n')]);
    }
    this.#fields.splice(at, 0, composeField(name, value));
  }

  /** A field that is not there is added, unless it was to be taken away. */
  #change(change: Extract<FieldChange, { kind: 'change' }>): void {
    const { index, name, value } = change;
    const at = this.#named(name)[Math.max(index, 1) - 1];
    if (value.length === 0) {
      if (at !== undefined) this.#fields.splice(at, 1);
    } else if (at === undefined) this.#insert(this.#fields.length, change);
    else this.#fields[at] = composeField(name, value);
  }

  #named(name: string): number[] {
    const wanted = name.toLowerCase();
    return this.#fields.flatMap((field, at) =>
      field !== this.#trace && new HeaderField(field).name === wanted ? [at] : [],
    );
  }
}

/** Writes a field whose value has its lines parted by LF: none of them can begin another field, or end the header (RFC 5322 §2.2.3). */
export function composeField(name: string, value: Buffer): Buffer {
  const lines = value
    .toString('latin1')
    .replace(/[\r\0]/g, '')
    .split('\n')
    .filter((line, at) => at === 0 || line.trim() !== '');
  const folded = lines.map((line, at) => (at === 0 || /^[ \t]/.test(line) ? line : `\t${line}`));
  return Buffer.from(`${name}:${folded.join('\r\n')}\r\n`, 'latin1');
}
