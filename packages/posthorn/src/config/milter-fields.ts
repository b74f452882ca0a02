import { z } from 'zod';
import { field } from './field.ts';
import { duration, size } from './fields.ts';

/** One word of a list. */
function choice<const Word extends string>(words: readonly Word[], expected: string) {
  return field<Word>({
    parse: (value) => words.find((word) => word === value),
    expected,
    remedy: `Write one of: ${words.join(', ')}.`,
  });
}

/** Where a program listens. */
type Place = { readonly host: string; readonly port: number } | { readonly path: string };

/** `host:port`, or the absolute path of a UNIX socket. */
const place = (example: string) =>
  field<string, Place>({
    parse: (value) => (typeof value === 'string' ? parsePlace(value) : undefined),
    expected: 'a host with its port, or the path of a socket',
    remedy: `Write an address such as "${example}", or a path such as "/run/filter.sock".`,
  });

function parsePlace(text: string): Place | undefined {
  if (/^\/[^\0]{1,107}$/.test(text)) return { path: text };
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,255})):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

const roles = z.array(choice(['mx', 'submission', 'submissions', 'lmtp', 'odmr'], 'the role of a listener')).min(1);

/** What all filters have. */
const common = {
  /** Whose mail it is asked about, by the role of the listener; users of this host count as `submission`. */
  roles: roles.prefault(['mx', 'submission', 'submissions', 'lmtp']),
  /** What becomes of mail while the filter cannot be asked: it passes, is put off, or is refused. */
  fallback: choice(['accept', 'tempfail', 'reject'], '"accept", "tempfail" or "reject"').prefault('tempfail'),
  /** How long it is waited for. */
  times: z
    .strictObject({
      connect: duration('10ms', '5s').prefault('5s'),
      /** To take what is sent to it. */
      send: duration('10ms', '30s').prefault('30s'),
      /** To answer one command. */
      reply: duration('10ms', '30s').prefault('30s'),
      /** To answer the end of a message, or to say that it is still at it; clients that submit wait for two minutes at the most. */
      message: duration('10ms', '90s').prefault('90s'),
    })
    .prefault({}),
};

const milter = z.strictObject({
  kind: z.literal('milter'),
  address: place('127.0.0.1:8891'),
  ...common,
});

const rspamd = z.strictObject({
  kind: z.literal('rspamd'),
  /** Of its normal worker. */
  address: place('127.0.0.1:11333').prefault('127.0.0.1:11333'),
  ...common,
});

const clamav = z.strictObject({
  kind: z.literal('clamav'),
  address: place('127.0.0.1:3310').prefault('/run/clamav/clamd.ctl'),
  /** Octets of a message that it is shown, from the beginning; no more than its `StreamMaxLength`. */
  limit: size(1024, '25MB').prefault('25MB'),
  /** `refuse`: the client is told; `discard`: it is told that all is well, and only the log knows better (RFC 5321 §6.2). */
  action: choice(['refuse', 'discard'], '"refuse" or "discard"').prefault('refuse'),
  ...common,
});

/** Programs that look at messages before they are accepted, in the order in which they are asked. */
export const contentFilters = z
  .array(z.discriminatedUnion('kind', [milter, rspamd, clamav]))
  .max(20)
  .prefault([]);
