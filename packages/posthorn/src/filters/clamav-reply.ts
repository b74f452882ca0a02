/** What ClamAV says of a stream. */
export type ClamavReply = { readonly kind: 'clean' } | { readonly kind: 'found'; readonly name: string };

/** Reads an answer to INSTREAM, without the NUL at its end; undefined when it is no judgement, such as an error. */
export function parseClamavReply(text: string): ClamavReply | undefined {
  if (text === 'stream: OK') return { kind: 'clean' };
  const found = /^stream: (.{1,300}) FOUND$/.exec(text)?.[1];
  return found === undefined ? undefined : { kind: 'found', name: found.replace(/[^ -~]/g, '?') };
}
