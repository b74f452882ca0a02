import { type HeaderField, headerFields } from '@posthorn/smtp/message/header';
import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import { LineEndMender } from '@posthorn/smtp/protocol/line-end-mender';
import type { Leaving, Signer } from '../agents/outgoing.ts';
import { ownResults } from '../authentication/authentication-results.ts';
import { BodyDigest } from '../authentication/body-digest.ts';
import { composeDkimSignature } from '../authentication/compose-signature.ts';
import { authorDomains } from '../authentication/evaluate-dmarc.ts';
import { composeArcSet } from '../authentication/seal-arc.ts';
import type { SigningKey } from '../authentication/signing-key.ts';
import type { Policy } from './policy.ts';

/** What messages are signed with. */
export interface SignerParts {
  readonly hostname: string;
  /** The policy in force. */
  readonly policy: () => Pick<Policy, 'keys'>;
}

/** Makes the fields of one message from its header and the digest of its body. */
type Writer = (fields: readonly HeaderField[], bodyHash: () => Buffer) => string;

/**
 * Signs messages as they leave, in the very octets of the form that a host takes: what comes from here with the keys of its
 * author's domain, what strangers sent and this host only passes on with a seal (RFC 6376 §5, RFC 8617 §5.1).
 */
export function createSigner({ hostname, policy }: SignerParts): Signer {
  return async (leaving) => {
    const { sign, seal } = policy().keys;
    const { isStranger, receivedAt: now } = leaving.envelope;
    // The time of its receipt, so that another attempt sends the same octets (RFC 1845 §3).
    if (isStranger) return seal && writeFront(leaving, (fields) => sealWriter(fields, { hostname, key: seal, now }));
    return sign.length === 0 ? undefined : writeFront(leaving, (fields) => signWriter(fields, sign, now));
  };
}

function signWriter(fields: readonly HeaderField[], keys: readonly SigningKey[], now: number): Writer | undefined {
  const [author = '', ...others] = authorDomains(fields) ?? [];
  const fitting = others.length > 0 ? [] : keys.filter(({ domain }) => `.${author}`.endsWith(`.${domain}`));
  if (fitting.length === 0) return undefined;
  return (all, bodyHash) =>
    fitting.map((key) => composeDkimSignature({ fields: all, bodyHash: bodyHash(), key, now })).join('');
}

interface Sealing {
  readonly hostname: string;
  readonly key: SigningKey;
  readonly now: number;
}

/** Only what was looked at when it came can be told to others. */
function sealWriter(fields: readonly HeaderField[], { hostname, key, now }: Sealing): Writer | undefined {
  const results = ownResults(fields, hostname);
  const [, chain] = /; arc=(none|pass|fail)(?: |;|$)/.exec(results ?? '') ?? [];
  if (results === undefined || chain === undefined) return undefined;
  return (all, bodyHash) =>
    composeArcSet({ fields: all, bodyHash: bodyHash(), results, chain: chain as 'none' | 'pass' | 'fail', key, now }) ??
    '';
}

/** Reads the text once, piece by piece, and its body only if there is something to be written. */
async function writeFront(
  { content, isMended }: Leaving,
  choose: (fields: readonly HeaderField[]) => Writer | undefined,
): Promise<Buffer | undefined> {
  const collector = new HeaderCollector();
  const mender = new LineEndMender();
  const digest = new BodyDigest('relaxed');
  let fields: readonly HeaderField[] | undefined;
  let writer: Writer | undefined;
  const open = () => {
    fields = [...headerFields(collector.header)];
    writer = choose(fields);
    digest.write(collector.rest.subarray(2));
  };
  for await (const octets of content.bytes === undefined ? content.stream() : [content.bytes]) {
    const piece = isMended ? mender.write(octets, true) : octets;
    if (fields !== undefined) digest.write(piece);
    else if (collector.write(piece)) open();
    if (fields !== undefined && writer === undefined) return undefined;
  }
  if (fields === undefined) open();
  if (isMended) digest.write(mender.end());
  const front = writer?.(fields ?? [], () => digest.digest) ?? '';
  return front === '' ? undefined : Buffer.from(front, 'latin1');
}
