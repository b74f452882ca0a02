import { dialledNumber, gstnElement, parseGstnAddress } from '@posthorn/smtp/address/gstn-address';
import { formatLocalPart } from '@posthorn/smtp/address/local-part';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { DeliveryAgent, DeliveryJob } from '../queue/delivery-agent.ts';
import type { Recipient } from '../queue/envelope.ts';
import type { NextHop } from '../queue/next-hop.ts';
import type { Outcome } from '../queue/outcome.ts';
import { earlierRecipients, finalText } from './final-text.ts';
import { type ProgramEnd, type ProgramRules, runProgram } from './run-program.ts';

/** How programs are run, and the clock. */
export interface PipeOptions extends ProgramRules {
  readonly now: () => number;
}

type PipeHop = Extract<NextHop, { kind: 'pipe' }>;

/** An agent that gives each message to a program, once for each recipient: aliases(5), sysexits(3). */
export function createPipeAgent(options: PipeOptions): DeliveryAgent {
  const running = new Set<Promise<unknown>>();
  return {
    deliver(job) {
      const work = deliverAll(job, options).finally(() => running.delete(work));
      running.add(work);
      return work;
    },
    async close() {
      await Promise.allSettled(running);
    },
  };
}

async function deliverAll(job: DeliveryJob, options: PipeOptions): Promise<Outcome[]> {
  const { nextHop, recipients } = job;
  if (nextHop.kind !== 'pipe') throw new Error(`${nextHop.kind} is no program`);
  const outcomes: Outcome[] = [];
  for (const recipient of recipients) outcomes.push(await deliver(job, recipient, { nextHop, options }));
  return outcomes;
}

async function deliver(
  { envelope, content, signal }: DeliveryJob,
  recipient: Recipient,
  { nextHop, options }: { readonly nextHop: PipeHop; readonly options: PipeOptions },
): Promise<Outcome> {
  const { now } = options;
  if (signal.aborted) return { kind: 'deferred', status: '4.3.2', at: now(), text: 'The delivery was broken off' };
  try {
    if ((await earlierRecipients(content)).has(recipient.address.toLowerCase())) return loop(now());
    const input = finalText({ envelope, recipient, content });
    const environment = environmentOf(envelope.reversePath, recipient, { nextHop, home: options.home });
    const end = await runProgram({ command: nextHop.command, environment, input, signal }, options);
    return outcomeOf(end, { at: now(), gateway: nextHop.gateway === true });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { kind: 'deferred', status: '4.3.0', at: now(), text: 'The message cannot be read now' };
  }
}

function loop(at: number): Outcome {
  return { kind: 'failed', status: '5.4.6', at, text: 'The message was given to this program before: a mail loop' };
}

/** What a program may know, in words that mean nothing to a shell. */
function environmentOf(
  reversePath: string,
  { address, originalRecipient = '' }: Recipient,
  { nextHop, home }: { readonly nextHop: PipeHop; readonly home: string },
): Record<string, string> {
  const mailbox = parseMailbox(address, { utf8: true });
  const localPart = mailbox?.localPart ?? address;
  const about: Record<string, string> = {
    SENDER: reversePath,
    RECIPIENT: address,
    ORIGINAL_RECIPIENT: originalRecipient.slice(originalRecipient.indexOf(';') + 1),
    LOCAL: formatLocalPart(localPart),
    DOMAIN: mailbox?.domain ?? '',
    EXTENSION: nextHop.extension ?? '',
    ...(nextHop.gateway === true ? numberOf(localPart) : {}),
  };
  const safe = Object.entries(about).map(([name, value]) => [name, harmless(value)] as const);
  return { PATH: '/usr/local/bin:/usr/bin:/bin', SHELL: '/bin/sh', HOME: home, LANG: 'C', ...Object.fromEntries(safe) };
}

/** What a gateway dials (RFC 3192 §2, RFC 2846 §2). */
function numberOf(localPart: string): Record<string, string> {
  const address = parseGstnAddress(localPart);
  if (address === undefined) return {};
  return {
    SERVICE: address.service.toUpperCase(),
    NUMBER: dialledNumber(address.number),
    SUBADDRESS: gstnElement(address, 'T33S') ?? '',
    ISDN_SUBADDRESS: dialledNumber(gstnElement(address, 'ISUB') ?? ''),
    POST_DIAL: gstnElement(address, 'POSTD') ?? '',
    ATTENTION: gstnElement(address, 'ATTN') ?? '',
  };
}

/** Addresses come from strangers: a value that is used without quotes must not become more than a word, nor an option. */
function harmless(value: string): string {
  return value.replace(/[^\p{L}\p{M}\p{N}@.,+=/:#*%_-]/gu, '_').replace(/^-/, '_');
}

const exitStatus: Readonly<Record<number, { kind: 'deferred' | 'failed'; status: Outcome['status'] }>> = {
  65: { kind: 'failed', status: '5.6.0' },
  67: { kind: 'failed', status: '5.1.1' },
  68: { kind: 'failed', status: '5.1.2' },
  71: { kind: 'deferred', status: '4.3.0' },
  73: { kind: 'failed', status: '5.2.0' },
  75: { kind: 'deferred', status: '4.3.0' },
  76: { kind: 'failed', status: '5.5.0' },
  77: { kind: 'failed', status: '5.7.0' },
  78: { kind: 'failed', status: '5.3.5' },
};

/** What became of a message, from how its program ended: sysexits(3). */
function outcomeOf(end: ProgramEnd, { at, gateway }: { readonly at: number; readonly gateway: boolean }): Outcome {
  const said = describe(end.output);
  switch (end.kind) {
    case 'exit': {
      if (end.code === 0) {
        // Behind a gateway nobody knows whether it arrives (RFC 3461 §5.2.4).
        const handover = gateway ? 'without-dsn' : 'final';
        return { kind: 'delivered', status: gateway ? '2.0.0' : '2.1.5', at, handover, text: 'given to a program' };
      }
      const { kind, status } = exitStatus[end.code] ?? { kind: 'failed', status: '5.3.0' };
      return { kind, status, at, text: `The program ended with ${end.code}${said}` };
    }
    case 'killed':
      return { kind: 'deferred', status: '4.3.0', at, text: `The program was ended by ${end.signal}${said}` };
    case 'late':
      return { kind: 'deferred', status: '4.3.0', at, text: `The program took too long${said}` };
    case 'aborted':
      return { kind: 'deferred', status: '4.3.2', at, text: 'The delivery was broken off' };
    case 'not-run':
      return { kind: 'deferred', status: '4.3.0', at, text: `The program cannot be run${said}` };
  }
}

/** One line of printable ASCII. */
function describe(output: string): string {
  const line = output
    .replace(/[^ -~]+/g, ' ')
    .trim()
    .slice(0, 300);
  return line === '' ? '' : `: ${line}`;
}
