import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { hashPassword } from '../../packages/posthorn/src/config/password.ts';
import type { ConfigInput } from '../../packages/posthorn/src/config/schema.ts';
import { startTestAgent, type TestAgent } from '../../packages/posthorn/test/mta/fixture.ts';
import { testCertificate } from '../../packages/smtp/test/laws/test-certificate.ts';

/** A Posthorn with mx, submission and submissions, a mailbox for everyone of example.org, and a user. */
export interface Posthorn extends AsyncDisposable {
  readonly ports: { readonly mx: number; readonly submission: number; readonly submissions: number };
  /** Path of the PEM file that proves it. */
  readonly certificate: string;
  readonly test: TestAgent;
  /** Waits until a mailbox holds so many messages; with LF line ends, as they lie there. */
  mailbox(name: string, count: number): Promise<Buffer[]>;
}

export const user = 'alice';
export const password = 'correct horse';

/** Starts it on free ports; mail for other domains goes to `relayTo`. */
export async function startPosthorn(
  options: {
    readonly routes?: readonly { domain: string; to: string }[];
    /** What is else in the configuration, or instead. */
    readonly change?: Partial<ConfigInput>;
  } = {},
): Promise<Posthorn> {
  const hashed = await hashPassword(password);
  let certificate = '';
  const test = await startTestAgent((folder) => {
    mkdirSync(folder, { recursive: true });
    certificate = join(folder, 'cert.pem');
    writeFileSync(certificate, testCertificate.cert);
    writeFileSync(join(folder, 'key.pem'), testCertificate.key);
    return {
      hostname: 'mx.example.test',
      listeners: (['mx', 'submission', 'submissions'] as const).map((role) => ({ role, host: '127.0.0.1', port: 0 })),
      tls: { cert: certificate, key: join(folder, 'key.pem') },
      users: { [user]: { password: hashed, addresses: ['ann@example.com'] } },
      relayFrom: ['127.0.0.0/8'],
      routes: [...(options.routes ?? [])],
      queue: { retry: ['1s'] },
      limits: { messageSize: '200MB' },
      ...options.change,
    };
  });
  const port = (role: string) => {
    const found = test.agent.listeners.find((listener) => listener.role === role);
    return found !== undefined && 'port' in found ? found.port : 0;
  };
  return {
    ports: { mx: port('mx'), submission: port('submission'), submissions: port('submissions') },
    certificate,
    test,
    async mailbox(name, count) {
      const path = join(test.folder, 'mail', name, 'new');
      const list = () => {
        try {
          return readdirSync(path);
        } catch {
          return [];
        }
      };
      await expect.poll(() => list().length, { timeout: 30_000, interval: 20 }).toBe(count);
      return list().map((file) => readFileSync(join(path, file)));
    },
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}
