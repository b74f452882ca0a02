import { Base64Encoder } from '../bytes/base64.ts';
import { BodyDecoder } from '../message/body-decoder.ts';
import { parseContentType } from '../message/content-type.ts';
import { foldField } from '../message/fold.ts';
import { fieldValue } from '../message/header.ts';
import { HeaderCollector } from '../message/header-collector.ts';
import { surveyOctets } from '../message/octet-survey.ts';
import { formatRequiredExtensions, unknownExtensions } from './required-extensions.ts';

/** The media type of a batch, in lower case (RFC 2442). */
const mediaType = 'application/batch-smtp';

/** What the header of a MIME object says of a batch in its body. */
export interface BatchLabel {
  /** In lower case. */
  readonly encoding: string;
  /** Extensions that the batch needs and a reader here does not understand. */
  readonly unknown: readonly string[];
}

/** Reads the label of a batch; undefined when the object is none (RFC 2442). */
export function readBatchLabel(header: Buffer): BatchLabel | undefined {
  const value = fieldValue(header, 'content-type') ?? '';
  if (parseContentType(value)?.mediaType !== mediaType) return undefined;
  const encoding = (fieldValue(header, 'content-transfer-encoding') ?? '7bit').trim().toLowerCase();
  const list = /;\s*required-extensions\s*=\s*("[^"]*"|[^;]*)/i.exec(value)?.[1];
  // Without its quotes the list is no value of a parameter, but it is clear what is meant.
  return { encoding, unknown: unknownExtensions(list?.replaceAll('"', '') ?? '') };
}

/** The batch in the body of a MIME object, its transfer encoding taken off (RFC 2045 §6). */
export async function* readBatchObject(
  object: AsyncIterable<Buffer> | Iterable<Buffer>,
  { encoding }: Pick<BatchLabel, 'encoding'>,
): AsyncGenerator<Buffer, void, undefined> {
  const collector = new HeaderCollector();
  const decoder = new BodyDecoder(encoding);
  let known = false;
  for await (const piece of object) {
    if (known) yield decoder.write(piece);
    else if (collector.write(piece)) {
      known = true;
      yield decoder.write(withoutSeparator(collector.rest));
    }
  }
  yield decoder.end();
}

function withoutSeparator(rest: Buffer): Buffer {
  return rest.subarray(rest[0] === 0x0a ? 1 : rest[0] === 0x0d && rest[1] === 0x0a ? 2 : 0);
}

/** The MIME fields and the body that carry a batch: as it is where any way passes it, else in base64 (RFC 2442). */
export function wrapBatch(batch: Buffer, agreed: readonly string[] = []): Buffer {
  const { eightBit, binary } = surveyOctets(batch);
  const isPlain = !eightBit && !binary;
  const fields = [
    foldField('MIME-Version', ['1.0']),
    foldField('Content-Type', ['application/batch-SMTP;', `required-extensions="${formatRequiredExtensions(agreed)}"`]),
    foldField('Content-Transfer-Encoding', [isPlain ? '7bit' : 'base64']),
  ];
  return Buffer.concat([Buffer.from(`${fields.join('')}\r\n`), ...(isPlain ? [batch] : encoded(batch))]);
}

function encoded(batch: Buffer): Buffer[] {
  const encoder = new Base64Encoder();
  return [encoder.write(batch), encoder.end()];
}
