/**
 * What has to change in a message so that a host can take it. Octets are surveyed part by part in one pass; the plan
 * then says for each part how its body is encoded and what its header has to say about it. Nothing is encoded that is
 * encoded already, nothing that is signed or encrypted is touched, and what has no valid form is impossible.
 */
import { fieldValue } from './header.ts';
import type { MimePart, MimeVisitor, ScanLimit } from './mime-scanner.ts';
import { longestLine, OctetSurvey, surveyOctets } from './octet-survey.ts';

/** What the next hop takes: lines of 7-bit, or of 8-bit octets (RFC 6152 §3, RFC 3030 §3). */
export type TransferForm = '7BIT' | '8BITMIME';

/** How a body is rewritten; `rewrapped` is base64 whose lines are too long (RFC 2045 §6). */
export type Rewriting = 'quoted-printable' | 'base64' | 'rewrapped';

/** What changes in one part. */
export interface PartPlan {
  readonly body?: Rewriting;
  /** The new Content-Transfer-Encoding. */
  readonly encoding?: string;
  /** Fields that the header lacks, for its message to be MIME at all. */
  readonly added: readonly string[];
  /** Some line of the header is too long. */
  readonly folds: boolean;
}

/** Why a message has no form that the next hop takes (RFC 6152 §3). */
export type Obstacle = 'sealed' | 'header' | 'encoded' | 'structure' | 'labelled-binary';

/** What becomes of a message on the way to a host. */
export type ConversionPlan =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'rewrite'; readonly parts: readonly PartPlan[]; readonly dropsFiller: boolean }
  | { readonly kind: 'impossible'; readonly obstacle: Obstacle; readonly onlyLongLines: boolean };

interface PartFacts {
  readonly mediaType: string;
  readonly encoding: string;
  readonly kind: MimePart['kind'];
  /** Inside of something signed or encrypted. */
  readonly isSealed: boolean;
  readonly header: OctetSurvey;
  readonly isFoldable: boolean;
  readonly missing: readonly string[];
  readonly body: OctetSurvey;
}

const sealedMultiparts = ['multipart/signed', 'multipart/encrypted'];
const sealedTypes = ['application/pkcs7-mime', 'application/x-pkcs7-mime'];
const plainEncodings = ['7bit', '8bit', 'binary'];

/** Surveys a message that a scanner tells, and plans (RFC 6152 §3). */
export class ConversionPlanner implements MimeVisitor {
  readonly #facts: PartFacts[] = [];
  readonly #filler = new OctetSurvey();
  readonly #sealedFiller = new OctetSurvey();
  #sealedDepth = Number.POSITIVE_INFINITY;
  #isSealed = false;
  /** The part that comes next is the header of a message, not of a part. */
  #beginsMessage = true;

  part(part: MimePart): void {
    if (part.depth <= this.#sealedDepth) this.#sealedDepth = Number.POSITIVE_INFINITY;
    this.#facts.push({
      mediaType: part.mediaType,
      encoding: part.encoding,
      kind: part.kind,
      isSealed: part.depth > this.#sealedDepth,
      header: surveyOctets(part.header),
      isFoldable: isFoldable(part.header),
      missing: missingFields(part.header, this.#beginsMessage),
      body: new OctetSurvey(),
    });
    if (sealedMultiparts.includes(part.mediaType)) this.#sealedDepth = Math.min(this.#sealedDepth, part.depth);
    this.#isSealed = this.#sealedDepth !== Number.POSITIVE_INFINITY;
    this.#beginsMessage = part.kind === 'message';
  }

  body(octets: Buffer): void {
    this.#facts.at(-1)?.body.write(octets);
  }

  delimiter(): void {}

  filler(octets: Buffer): void {
    (this.#isSealed ? this.#sealedFiller : this.#filler).write(octets);
  }

  /** `isBinary`: the sender declared BODY=BINARYMIME; `limit`: the bound that the scanner met, if any. */
  plan(target: TransferForm, isBinary: boolean, limit: ScanLimit | undefined): ConversionPlan {
    const tooMuch = (survey: OctetSurvey) => survey.binary || (target === '7BIT' && survey.eightBit);
    const surveys = [...this.#facts.flatMap(({ header, body }) => [header, body]), this.#filler, this.#sealedFiller];
    const onlyLongLines =
      surveys.some(({ longLine }) => longLine) &&
      !surveys.some((each) => each.nul || each.bareLineEnd || (target === '7BIT' && each.eightBit));
    const impossible = (obstacle: Obstacle): ConversionPlan => ({ kind: 'impossible', obstacle, onlyLongLines });
    // Such a message is given back, not mended (RFC 3030 §3).
    if (!isBinary && this.#facts.some(({ encoding }) => encoding === 'binary')) return impossible('labelled-binary');
    if (!surveys.some(tooMuch)) return { kind: 'unchanged' };
    if (limit !== undefined) return impossible('structure');
    if (tooMuch(this.#sealedFiller)) return impossible('sealed');
    const parts: PartPlan[] = [];
    for (const facts of this.#facts) {
      const planned = planPart(facts, target, tooMuch);
      if (typeof planned === 'string') return impossible(planned);
      parts.push(planned);
    }
    return { kind: 'rewrite', parts, dropsFiller: tooMuch(this.#filler) };
  }
}

function planPart(
  facts: PartFacts,
  target: TransferForm,
  tooMuch: (survey: OctetSurvey) => boolean,
): PartPlan | Obstacle {
  const { header, body, isSealed, encoding } = facts;
  if (isSealed) return tooMuch(header) || tooMuch(body) ? 'sealed' : { added: [], folds: false };
  if (header.nul || header.bareLineEnd || (target === '7BIT' && header.eightBit)) return 'header';
  if (header.longLine && !facts.isFoldable) return 'header';
  const label = relabelled(facts, target);
  if (!tooMuch(body)) {
    return { added: [], folds: header.longLine, ...(label !== encoding && { encoding: label }) };
  }
  const rewriting = rewritingOf(facts);
  if (rewriting !== 'quoted-printable' && rewriting !== 'base64' && rewriting !== 'rewrapped') return rewriting;
  const folds = header.longLine;
  if (rewriting === 'rewrapped') return { body: rewriting, added: [], folds };
  return { body: rewriting, encoding: rewriting, added: facts.missing, folds };
}

/** The label of a body that stays as it is. */
function relabelled({ kind, encoding, body }: PartFacts, target: TransferForm): string {
  if (encoding === '8bit') return target === '7BIT' ? '7bit' : '8bit';
  if (encoding !== 'binary') return encoding;
  return target === '7BIT' || (kind === 'leaf' && !body.eightBit) ? '7bit' : '8bit';
}

function rewritingOf({ mediaType, encoding, body }: PartFacts): Rewriting | Obstacle {
  if (sealedTypes.includes(mediaType)) return 'sealed';
  if (!plainEncodings.includes(encoding)) return encoding === 'base64' && isOnlyLong(body) ? 'rewrapped' : 'encoded';
  // Composite types may not be encoded; those of RFC 6532 may.
  const isComposite = mediaType.startsWith('multipart/') || /^message\/(?!global)/.test(mediaType);
  if (isComposite) return 'structure';
  return mediaType.startsWith('text/') && !body.nul ? 'quoted-printable' : 'base64';
}

function isOnlyLong(survey: OctetSurvey): boolean {
  return survey.longLine && !survey.eightBit && !survey.nul && !survey.bareLineEnd;
}

/** Whether every line that is too long has a blank to be folded at in time. */
function isFoldable(header: Buffer): boolean {
  if (header.length <= longestLine) return true;
  return header
    .toString('latin1')
    .split('\r\n')
    .every((line) => line.split(/(?=[ \t])/).every((word) => word.length <= longestLine));
}

/** A message of before MIME: its charset is unknown (RFC 1428 §3). */
function missingFields(header: Buffer, isMessage: boolean): string[] {
  const lacks = (name: string) => fieldValue(header, name) === undefined;
  return [
    ...(isMessage && lacks('mime-version') ? ['MIME-Version: 1.0\r\n'] : []),
    ...(lacks('content-type') ? ['Content-Type: text/plain; charset=unknown-8bit\r\n'] : []),
  ];
}
