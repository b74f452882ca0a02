import { type HeaderField, headerFields } from '@posthorn/smtp/message/header';
import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import type { Reply } from '@posthorn/smtp/reply/reply';
import type { IncomingText } from '@posthorn/smtp/server';
import { formatResultsField, withoutForged } from '../authentication/authentication-results.ts';
import { BodyDigests } from '../authentication/body-digest.ts';
import { evaluateDmarc } from '../authentication/evaluate-dmarc.ts';
import type { Lookups } from '../authentication/lookups.ts';
import {
  alignedSpf,
  type Disposition,
  dispositionOf,
  type Findings,
  messageRefusal,
  methodResults,
  type SenderRules,
  type SpfFinding,
} from '../authentication/sender-policy.ts';
import { ArcVerification } from '../authentication/verify-arc.ts';
import { DkimVerification } from '../authentication/verify-dkim.ts';
import type { Intake } from './intake.ts';
import { Refusal } from './refusal.ts';
import { withCompletedHeader } from './submission-text.ts';
import { withPieces } from './with-pieces.ts';

/** What a message is checked with. */
export interface MessageCheckParts {
  readonly hostname: string;
  readonly rules: SenderRules;
  /** Whether signatures are looked at. */
  readonly verifiesDkim: boolean;
  /** Look-ups whose time begins now: a text may come for longer than they may take. */
  readonly lookups: () => Lookups;
  /** What SPF finds, under way. */
  readonly spf: Promise<readonly SpfFinding[]>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Is told what was found. */
  readonly observe: (checked: CheckedMessage) => void;
}

/** What came of a check. */
export interface CheckedMessage {
  readonly findings: Findings;
  readonly disposition: Disposition;
  readonly refusal: Reply | undefined;
  /** The fields that go on top of the message. */
  readonly front: Buffer;
}

const mark = 'posthorn-quarantine';

/** Looks at the text of a stranger while it comes in: signatures are checked without a second look at the body. */
export class MessageCheck {
  readonly #parts: MessageCheckParts;
  readonly #digests = new BodyDigests();
  #fields: readonly HeaderField[] = [];
  #dkim: DkimVerification | undefined;
  #arc: ArcVerification | undefined;
  /** Octets of the empty line behind the header that are still to come. */
  #separator = 2;

  constructor(parts: MessageCheckParts) {
    this.#parts = parts;
  }

  /** The text without what it says in the name of this host; what an earlier session left is looked at first (RFC 8601 §5). */
  async watch({ text, isResumed, stored }: Intake): Promise<IncomingText> {
    if (isResumed) await this.#readStored(stored());
    return isResumed ? this.#watchRest(text) : this.#watchAll(text);
  }

  #watchAll(text: IncomingText): IncomingText {
    const clean = (header: Buffer) => {
      this.#begin(header);
      return withoutForged(header, this.#parts.hostname, mark);
    };
    return withCompletedHeader(text, clean, (piece) => this.#takeBody(piece));
  }

  /** The trace of this host comes first, then the client's text (RFC 1845 §3). */
  async #readStored(pieces: AsyncIterable<Buffer>): Promise<void> {
    const collector = new HeaderCollector();
    let isKnown = false;
    for await (const piece of pieces) {
      if (isKnown) this.#takeBody(piece);
      else if (collector.write(piece)) {
        isKnown = true;
        const fields = [...headerFields(collector.header)];
        const trace = fields.findIndex(({ name }) => name === 'received') + 1;
        this.#begin(Buffer.concat(fields.slice(trace).map(({ raw }) => raw)));
        this.#takeBody(collector.rest);
      }
    }
  }

  #watchRest(text: IncomingText): IncomingText {
    const take = (piece: Buffer) => this.#takeBody(piece);
    return withPieces(text, async function* () {
      for await (const piece of text) {
        take(piece);
        yield piece;
      }
    });
  }

  /** Says, once all of the text came, what goes on top of the message. Rejects with Refusal when it is not taken. */
  async finish(): Promise<Buffer> {
    const checked = await this.#conclude();
    this.#parts.observe(checked);
    if (checked.refusal !== undefined) throw new Refusal(checked.refusal);
    return checked.front;
  }

  async #conclude(): Promise<CheckedMessage> {
    const { hostname, rules } = this.#parts;
    const lookups = this.#parts.lookups();
    const fields = this.#fields;
    const [spf, dkim, arc] = await Promise.all([
      this.#parts.spf,
      this.#dkim?.results(lookups),
      this.#arc?.result(lookups),
    ]);
    const facts = { fields, spf: alignedSpf(spf), dkim: dkim ?? [] };
    const dmarc = rules.dmarc === 'off' ? undefined : await evaluateDmarc(facts, lookups);
    const findings: Findings = {
      spf,
      ...(dkim === undefined ? {} : { dkim }),
      ...(arc === undefined ? {} : { arc }),
      ...(dmarc === undefined ? {} : { dmarc }),
    };
    const disposition = dispositionOf(findings, rules, fields);
    const refusal = messageRefusal(findings, rules, { fields, disposition });
    const marks =
      disposition.kind === 'quarantine' ? `Posthorn-Quarantine: dmarc=fail header.from=${dmarc?.domain}\r\n` : '';
    const front = Buffer.from(marks + formatResultsField(hostname, methodResults(findings)));
    return { findings, disposition, refusal, front };
  }

  #begin(header: Buffer): void {
    const { rules, verifiesDkim, now } = this.#parts;
    this.#fields = [...headerFields(header)];
    if (verifiesDkim) this.#dkim = new DkimVerification(this.#fields, this.#digests, now);
    if (rules.arc !== 'off') this.#arc = new ArcVerification(this.#fields, this.#digests, now);
  }

  #takeBody(piece: Buffer): void {
    const skipped = Math.min(this.#separator, piece.length);
    this.#separator -= skipped;
    this.#digests.write(skipped === 0 ? piece : piece.subarray(skipped));
  }
}
