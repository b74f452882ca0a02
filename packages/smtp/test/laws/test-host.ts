import type { Application } from '@posthorn/smtp/net/application';
import { ServerHost } from '@posthorn/smtp/net/server-host';
import { openServerTls } from '@posthorn/smtp/net/server-tls';
import { type SmtpService, smtpService } from '@posthorn/smtp/net/smtp-service';
import { onTestFinished } from 'vitest';
import { portOf, SocketClient } from './socket-client.ts';
import { TestApplication } from './test-application.ts';
import { testCertificate } from './test-certificate.ts';
import { type RuleChange, testRules } from './test-rules.ts';

/** What differs from a host that takes everything from everyone. */
export interface TestHostOptions {
  readonly rules?: RuleChange;
  readonly application?: () => Application;
  readonly connections?: number;
  readonly connectionsPerAddress?: number;
  readonly handlerTime?: number;
  readonly service?: Partial<SmtpService>;
  readonly tls?: boolean;
}

/** A host with one listener on the loopback address, closed when the test ends. */
export interface TestHost {
  readonly host: ServerHost;
  readonly port: number;
  readonly service: SmtpService;
  /** What was reported. */
  readonly errors: unknown[];
  /** A client that has read the greeting. */
  greeted(from?: string): Promise<SocketClient>;
}

/** Opens a host for the test that runs. */
export async function openTestHost(options: TestHostOptions = {}): Promise<TestHost> {
  const errors: unknown[] = [];
  const { connections = 100, connectionsPerAddress = 100, handlerTime = 60_000, tls = true } = options;
  const host = new ServerHost({
    limits: { connections, connectionsPerAddress },
    tls: tls ? openServerTls(testCertificate) : undefined,
    handlerTime,
    report: (error) => errors.push(error),
  });
  const service: SmtpService = {
    ...smtpService({
      rules: testRules(options.rules),
      implicitTls: false,
      application: options.application ?? (() => new TestApplication()),
    }),
    ...options.service,
  };
  const port = portOf(await host.listen({ host: '127.0.0.1', port: 0 }, service));
  onTestFinished(() => host.close(0));
  return {
    host,
    port,
    service,
    errors,
    async greeted(from = '127.0.0.1') {
      const client = SocketClient.connect({ port, from });
      onTestFinished(() => client.destroy());
      await client.reply();
      return client;
    },
  };
}
