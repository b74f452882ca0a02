import { Base64Encoder } from '../bytes/base64.ts';
import { QuotedPrintableEncoder } from '../bytes/quoted-printable.ts';
import type { PartPlan, Rewriting } from './conversion-plan.ts';
import { headerFields } from './header.ts';
import type { MimePart, MimeVisitor } from './mime-scanner.ts';
import { longestLine } from './octet-survey.ts';

/** What turns the octets of a body into those that go out. */
interface BodyWriter {
  write(octets: Buffer): Buffer;
  end(): Buffer;
}

/** Writes a message anew, after its plan, as a scanner tells it (RFC 6152 §3). */
export class ConversionWriter implements MimeVisitor {
  readonly #parts: readonly PartPlan[];
  readonly #dropsFiller: boolean;
  #out: Buffer[] = [];
  #body: BodyWriter | undefined;
  #endsLine = true;

  constructor(parts: readonly PartPlan[], dropsFiller: boolean) {
    this.#parts = parts;
    this.#dropsFiller = dropsFiller;
  }

  part({ index, header, separator }: MimePart): void {
    this.#finish();
    const plan = this.#parts[index];
    this.#emit(plan === undefined ? header : rewriteHeader(header, plan));
    this.#emit(separator);
    this.#body = plan?.body && bodyWriter(plan.body);
  }

  body(octets: Buffer): void {
    this.#emit(this.#body === undefined ? octets : this.#body.write(octets));
  }

  delimiter(octets: Buffer): void {
    this.#finish();
    this.#emit(octets);
  }

  filler(octets: Buffer): void {
    this.#finish();
    if (!this.#dropsFiller) this.#emit(octets);
  }

  /** Ends the last part. */
  end(): void {
    const isQuotedPrintable = this.#body instanceof QuotedPrintableEncoder;
    this.#finish();
    // A soft line break ends the text of a message without adding a line to it.
    if (isQuotedPrintable && !this.#endsLine) this.#emit(Buffer.from('=\r\n'));
  }

  /** What was written since the last time. */
  take(): Buffer {
    const taken = Buffer.concat(this.#out);
    this.#out = [];
    return taken;
  }

  #finish(): void {
    if (this.#body !== undefined) this.#emit(this.#body.end());
    this.#body = undefined;
  }

  #emit(octets: Buffer): void {
    // A copy, since what the scanner tells holds no longer than this call.
    if (octets.length === 0) return;
    this.#out.push(Buffer.from(octets));
    this.#endsLine = octets[octets.length - 1] === 0x0a;
  }
}

/** Breaks base64 anew into lines of 76 characters (RFC 2045 §6.8). */
class Base64Wrapper implements BodyWriter {
  #line = '';

  write(octets: Buffer): Buffer {
    const text = this.#line + octets.toString('latin1').replace(/[^A-Za-z0-9+/=]+/g, '');
    const whole = text.length - (text.length % 76);
    this.#line = text.slice(whole);
    return Buffer.from(text.slice(0, whole).replace(/.{76}/g, '$&\r\n'), 'latin1');
  }

  end(): Buffer {
    return Buffer.from(this.#line === '' ? '' : `${this.#line}\r\n`, 'latin1');
  }
}

function bodyWriter(rewriting: Rewriting): BodyWriter {
  if (rewriting === 'quoted-printable') return new QuotedPrintableEncoder('text');
  return rewriting === 'base64' ? new Base64Encoder() : new Base64Wrapper();
}

/** Fields that do not change keep every octet. */
function rewriteHeader(header: Buffer, { encoding, added, folds }: PartPlan): Buffer {
  if (encoding === undefined && added.length === 0 && !folds) return header;
  const label = encoding === undefined ? '' : `Content-Transfer-Encoding: ${encoding}\r\n`;
  const out: Buffer[] = [];
  let isLabelled = label === '';
  for (const field of headerFields(header)) {
    if (label === '' || field.name !== 'content-transfer-encoding') out.push(folds ? folded(field.raw) : field.raw);
    else if (!isLabelled) {
      out.push(Buffer.from(label));
      isLabelled = true;
    }
  }
  const endsLine = header.length === 0 || header[header.length - 1] === 0x0a;
  return Buffer.concat([...out, Buffer.from(`${endsLine ? '' : '\r\n'}${added.join('')}${isLabelled ? '' : label}`)]);
}

/** Folds at blanks that are there, so that the unfolded text is the same (RFC 5322 §2.2.3). */
function folded(raw: Buffer): Buffer {
  const lines = raw.toString('latin1').split('\r\n');
  return Buffer.from(lines.map(foldLine).join('\r\n'), 'latin1');
}

function foldLine(line: string): string {
  if (line.length <= longestLine) return line;
  const lines: string[] = [];
  for (const word of line.split(/(?=[ \t])/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > longestLine) lines.push(word);
    else lines[lines.length - 1] = last + word;
  }
  return lines.join('\r\n');
}
