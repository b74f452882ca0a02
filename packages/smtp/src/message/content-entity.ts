import { Failure } from '../failure/failure.ts';
import { parseContentType } from './content-type.ts';
import { encodeFile, encodeMessage, encodeText } from './encoded-body.ts';
import { type Entity, type Leaf, multipart } from './entity.ts';
import { foldField } from './fold.ts';
import { mediaTypeOf } from './media-type.ts';
import type { AttachmentInput, MessageInput, TextInput } from './message-input.ts';
import { formatParameter } from './parameter.ts';
import { requireClean } from './require-clean.ts';

const mediaType = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;
const contentId = /^[!-;=?-~]{1,250}$/;

/**
 * The content of a message as a tree: the forms of the text as alternatives, the files that HTML shows beside it, all
 * others behind them (RFC 2046 §5.1.3, RFC 2046 §5.1.4, RFC 2387 §3).
 */
export function contentEntity(input: MessageInput, newBoundary: () => string): Entity {
  const { text, html, alternatives = [], attachments = [] } = input;
  const isShown = ({ cid }: AttachmentInput) => html !== undefined && cid !== undefined;
  const shown = attachments.filter(isShown).map(fileLeaf);
  const files = attachments.filter((attachment) => !isShown(attachment)).map(fileLeaf);
  const forms: Entity[] = [
    ...(text === undefined ? [] : [textLeaf('text/plain', text)]),
    ...(html === undefined
      ? []
      : [multipart('related', newBoundary(), [textLeaf('text/html', html), ...shown], ['type="text/html"'])]),
    ...alternatives.map(({ contentType, content }) => textLeaf(contentType, content)),
  ];
  const body = forms.length === 0 ? [] : [multipart('alternative', newBoundary(), forms)];
  const parts = [...body, ...files];
  return multipart('mixed', newBoundary(), parts.length === 0 ? [textLeaf('text/plain', '')] : parts);
}

function textLeaf(contentType: string, content: TextInput): Leaf {
  const words = typeWords(contentType, {}, { charset: 'utf-8' });
  return { fields: [foldField('Content-Type', words)], body: encodeText(content) };
}

function fileLeaf(attachment: AttachmentInput): Leaf {
  const { filename, content, cid, contentType = mediaTypeOf(filename), disposition } = attachment;
  const names = filename === undefined ? {} : { name: requireClean(filename, 'filename') };
  const isMessage = /^message\/(rfc822|global)\b/i.test(contentType);
  const message = isMessage ? encodeMessage(content) : undefined;
  const charset = typeof content === 'string' && /^text\//i.test(contentType) ? { charset: 'utf-8' } : {};
  const type = message === undefined ? contentType : contentType.replace(/^[^;]*/, message.mediaType);
  const kind = disposition ?? (cid === undefined ? 'attachment' : 'inline');
  const filenames = filename === undefined ? [] : formatParameter('filename', filename);
  return {
    fields: [
      foldField('Content-Type', typeWords(type, { ...names, ...charset })),
      foldField('Content-Disposition', separated([kind, ...filenames])),
      ...(cid === undefined ? [] : [foldField('Content-ID', [`<${readContentId(cid)}>`])]),
    ],
    body: message?.body ?? encodeFile(content),
  };
}

type Parameters = Readonly<Record<string, string>>;

/** The words of a Content-Type: its parameters go over the defaults, and what must be goes over both. */
function typeWords(contentType: string, defaults: Parameters, musts: Parameters = {}): string[] {
  const type = parseContentType(requireClean(contentType, 'contentType'));
  if (type === undefined || !mediaType.test(type.mediaType) || type.mediaType.startsWith('multipart/')) {
    throw new Failure('invalid', `contentType is no media type of a part: ${JSON.stringify(contentType)}`);
  }
  const parameters = Object.entries({ ...defaults, ...Object.fromEntries(type.parameters), ...musts });
  return separated([type.mediaType, ...parameters.flatMap(([name, value]) => formatParameter(name, value))]);
}

function readContentId(cid: string): string {
  const id = requireClean(cid, 'cid').replace(/^<(.*)>$/, '$1');
  if (!contentId.test(id)) throw new Failure('invalid', `cid is no content identifier: ${JSON.stringify(cid)}`);
  return id;
}

function separated(words: readonly string[]): string[] {
  return words.map((word, index) => (index < words.length - 1 ? `${word};` : word));
}
