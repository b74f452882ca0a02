import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';
import { toMailbox } from '@posthorn/smtp/client/envelope';
import { TextSource } from '@posthorn/smtp/client/text-source';
import type { MailParameters, RcptParameters } from '@posthorn/smtp/command/parameters';
import { convertContent, isLabelledBinary, type ReadableContent } from '@posthorn/smtp/message/convert-content';
import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import { OctetSurvey } from '@posthorn/smtp/message/octet-survey';
import type { LocalRefusal } from '@posthorn/smtp/protocol/client-transaction';
import type { Transaction } from '@posthorn/smtp/protocol/transaction';
import type { DeliveryJob } from '../queue/delivery-agent.ts';
import type { Envelope, Recipient } from '../queue/envelope.ts';
import { passedOn } from './passed-on.ts';

/** A message in a form in which it can leave. */
export interface Outgoing {
  readonly transaction: Transaction;
  readonly text: TextSource;
  /** What tells its signatures from others, in a few letters and digits. */
  readonly signed?: string;
}

/** A message as its octets are going to leave. */
export interface Leaving {
  readonly envelope: Envelope;
  readonly content: ReadableContent;
  /** Whether bare line ends are going to be mended. */
  readonly isMended: boolean;
}

/** Gives the fields that go on top of a message as it leaves, the same each time; undefined: none (RFC 6376 §5). */
export type Signer = (leaving: Leaving) => Promise<Buffer | undefined>;

/** What messages leave with. */
export interface OutgoingOptions {
  readonly now: () => number;
  readonly sign?: Signer | undefined;
}

interface Survey {
  readonly body: Envelope['body'];
  readonly smtputf8: boolean;
  /** Whether every line ends in CRLF, the last one too: then nothing is to be mended. */
  readonly whole: boolean;
  readonly bareLineEnd: boolean;
  /** Why no host may get it. */
  readonly refusal?: LocalRefusal;
}

/** A message on its way out: as it is, or converted for hosts that cannot take it so. */
export class OutgoingMessage {
  readonly #job: DeliveryJob;
  readonly #survey: Survey;
  readonly #options: OutgoingOptions;
  #plain: Promise<Outgoing> | undefined;
  readonly #converted = new Map<Envelope['body'], Promise<Outgoing | LocalRefusal>>();

  private constructor(job: DeliveryJob, survey: Survey, options: OutgoingOptions) {
    this.#job = job;
    this.#survey = survey;
    this.#options = options;
  }

  /** Looks at the text of a job; rejects with Failure `storage` when it cannot be read. */
  static async of(job: DeliveryJob, options: OutgoingOptions): Promise<OutgoingMessage> {
    return new OutgoingMessage(job, await surveyJob(job), options);
  }

  /** Why the message goes to no host at all, whatever that takes; undefined when it may (RFC 3030 §3). */
  get refusal(): LocalRefusal | undefined {
    return this.#survey.refusal;
  }

  /** The message as it is: parameters as they came, for hosts that know them (RFC 3461 §5.2.1). */
  plain(): Promise<Outgoing> {
    this.#plain ??= this.#form(this.#job.content, this.#survey.body, this.#job.content.size);
    return this.#plain;
  }

  /** The message for a host without BINARYMIME, or 8BITMIME; a refusal when it has no such form (RFC 6152 §3, RFC 3030 §3). */
  convertedFor(offered: ReadonlySet<string>): Promise<Outgoing | LocalRefusal> {
    const target = offered.has('8BITMIME') ? '8BITMIME' : '7BIT';
    const known = this.#converted.get(target) ?? this.#convert(target);
    this.#converted.set(target, known);
    return known;
  }

  async #convert(target: '7BIT' | '8BITMIME'): Promise<Outgoing | LocalRefusal> {
    const { content, envelope } = this.#job;
    const conversion = await convertContent(content, { target, body: envelope.body });
    if (conversion.kind === 'impossible') {
      const text = `The message cannot be converted for the host (${conversion.obstacle})`;
      return { status: conversion.status, text };
    }
    if (conversion.kind === 'unchanged') return this.#form(content, target, content.size);
    return this.#form(conversion, target, conversion.bytes?.length);
  }

  async #form(content: ReadableContent, body: Envelope['body'], size: number | undefined): Promise<Outgoing> {
    const { envelope, recipients } = this.#job;
    const isMended = body !== 'BINARYMIME' && content === this.#job.content && this.#survey.bareLineEnd;
    const front = await this.#options.sign?.({ envelope, content, isMended });
    const mail: MailParameters = {
      body,
      ...(size === undefined ? {} : { size: size + (front?.length ?? 0) }),
      ...(this.#survey.smtputf8 ? { smtputf8: true } : {}),
      ...passedOn(this.#job, this.#options.now()),
    };
    const isRaw = body === 'BINARYMIME' || (content === this.#job.content && this.#survey.whole);
    const whole = front === undefined ? content : withFront(front, content);
    return {
      transaction: {
        reversePath: envelope.reversePath === '' ? null : toMailbox(envelope.reversePath),
        mail,
        recipients: recipients.map((one) => ({ mailbox: toMailbox(one.address), parameters: rcptParameters(one) })),
      },
      text: new TextSource(whole.bytes ?? (() => whole.stream()), isRaw),
      ...(front === undefined ? {} : { signed: createHash('sha256').update(front).digest('hex').slice(0, 6) }),
    };
  }
}

function withFront(front: Buffer, content: ReadableContent): ReadableContent {
  return {
    ...(content.bytes === undefined ? {} : { bytes: Buffer.concat([front, content.bytes]) }),
    async *stream() {
      yield front;
      yield* content.stream();
    },
  };
}

function rcptParameters({ notify, originalRecipient, rrvs }: Recipient): RcptParameters {
  return {
    ...(notify === undefined ? {} : { notify }),
    ...(originalRecipient === undefined ? {} : { originalRecipient }),
    ...(rrvs === undefined ? {} : { rrvs }),
  };
}

/** Such a message is given back, not mended and sent on (RFC 3030 §3). */
const undeclared: LocalRefusal = {
  status: '5.6.3',
  text: 'A part of the message is labelled binary, but the message was not declared to be so (BODY=BINARYMIME)',
};

/** What the octets need, whatever MAIL said: 7BIT is said of much that is not (RFC 2045 §2.7). */
async function surveyJob({ content, envelope }: DeliveryJob): Promise<Survey> {
  const survey = new OctetSurvey();
  const header = envelope.smtputf8 ? new HeaderCollector() : undefined;
  let isHeader = header !== undefined;
  const take = (piece: Buffer) => {
    survey.write(piece);
    if (isHeader) isHeader = header?.write(piece) === false;
  };
  if (content.bytes !== undefined) take(content.bytes);
  else for await (const piece of content.stream()) take(piece);
  // Without a letter outside of ASCII in its header the message needs SMTPUTF8 no more (RFC 6531 §3.6).
  const smtputf8 = header !== undefined && !isAscii(header.header);
  // Lines of more than 998 octets go unchanged as BINARYMIME alone (RFC 5321 §4.5.3.1.6).
  const isBinary = envelope.body === 'BINARYMIME' || survey.binary;
  // Deviates: lines of text that are labelled binary pass, as many programs write them, and nothing can harm them (RFC 3030 §3).
  const isUndeclared = survey.binary && envelope.body !== 'BINARYMIME' && (await isLabelledBinary(content));
  const whole = content.bytes !== undefined && !survey.bareLineEnd && content.bytes.at(-1) === 0x0a;
  return {
    body: isBinary ? 'BINARYMIME' : survey.eightBit ? '8BITMIME' : '7BIT',
    smtputf8,
    whole,
    bareLineEnd: survey.bareLineEnd,
    ...(isUndeclared ? { refusal: undeclared } : {}),
  };
}
