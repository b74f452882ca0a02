import { openConnection } from '@posthorn/smtp/client/open-connection';
import type { MailParameters, RcptParameters } from '@posthorn/smtp/command/parameters';
import { parseDsn, type ReadDsn } from '@posthorn/smtp/report/parse-dsn';
import { expect } from 'vitest';
import type { ConfigInput } from '../../packages/posthorn/src/config/schema.ts';
import type { FixtureZone } from '../../packages/posthorn/src/dns/fixture-resolver.ts';
import { type Knot, startKnot } from '../../packages/posthorn/test/dns/knot.ts';
import { mailIn, startTestAgent, type TestAgent } from '../../packages/posthorn/test/mta/fixture.ts';
import { network } from './loopback.ts';

const numbers = { home: 10, far: 11, third: 12, postfix: 13, exim: 14, down: 19 } as const;

/** A host of the network, which has the mail of the domain of its name, such as `home.example`. */
export type HostName = keyof typeof numbers;

/** Where a host listens. */
export function placeOf(host: HostName): { readonly host: string; readonly port: 25 } {
  return { host: `${network}.${numbers[host]}`, port: 25 };
}

/** A name server of another make, which knows the exchanger of each domain, and what else it is told. */
export function startNames(others: FixtureZone = {}, options: { readonly signed?: boolean } = {}): Promise<Knot> {
  const entries = (Object.keys(numbers) as HostName[]).flatMap((host) => [
    [`${host}.example`, { mx: [[10, `mx.${host}.example`] as const] }] as const,
    [`mx.${host}.example`, { a: [placeOf(host).host] }] as const,
  ]);
  return startKnot({ ...Object.fromEntries(entries), ...others }, options);
}

/** Starts a Posthorn as a host; what is not its own goes where the name server says. */
export function startPosthornAt(
  host: HostName,
  dns: string,
  change: (folder: string) => Partial<ConfigInput> = () => ({}),
): Promise<TestAgent> {
  return startTestAgent((folder) => ({
    hostname: `mx.${host}.example`,
    listeners: [
      { role: 'mx', host: '127.0.0.1', port: 0 },
      { role: 'mx', ...placeOf(host) },
    ],
    relayFrom: ['127.0.0.0/8'],
    domains: { [`${host}.example`]: { deliver: `maildir:${folder}/mail/{local}`, mailboxes: '*' } },
    dns: { servers: [dns] },
    queue: { retry: ['1s'] },
    ...change(folder),
  }));
}

/** One message for one recipient. */
export interface Letter {
  readonly from: string;
  readonly to: string;
  readonly mail?: MailParameters;
  readonly recipient?: RcptParameters;
  readonly text?: string;
}

/** Gives a message to a host, which has to take it. */
export async function give(host: HostName, { from, to, mail = {}, recipient, text }: Letter): Promise<void> {
  await using connection = await openConnection({ ...placeOf(host), tls: 'none', name: 'client.example' });
  const result = await connection.send({
    envelope: { from, to: [{ address: to, ...recipient }], mail },
    text: text ?? `From: ${from}\r\nTo: ${to}\r\nSubject: hello\r\n\r\nthe body\r\n`,
  });
  expect(result.recipients).toMatchObject([{ kind: 'accepted' }]);
}

/** Waits for the one report in a mailbox. */
export async function reportIn(agent: TestAgent, box: string): Promise<ReadDsn> {
  const [text = ''] = await mailIn(agent, box, 1);
  const report = parseDsn(Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'));
  if (report === undefined) throw new Error(`no report: ${text}`);
  return report;
}

/** What lasts as long as all tests of a file. */
export class Parts implements AsyncDisposable {
  readonly #parts: AsyncDisposable[] = [];

  /** Waits for a part, and ends it when all is over, before those that it was built on. */
  async add<T extends AsyncDisposable>(part: Promise<T>): Promise<T> {
    const started = await part;
    this.#parts.push(started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts.splice(0).reverse()) await part[Symbol.asyncDispose]();
  }
}
