import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { ExplainedHost, TlsExplanation } from '../mta/explain-tls.ts';
import { Exit, exitCodes } from './exit.ts';
import { configOption, loadOrExit } from './load.ts';
import { plainTable } from './plain-table.ts';
import { printable, type Terminal } from './terminal.ts';

interface ExplainOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** `posthorn explain`: says what would become of mail, and sends none. */
export function addExplain(program: Command, terminal: Terminal): void {
  program
    .command('explain')
    .description('say what would become of mail; none is sent')
    .command('tls')
    .description('show which policy of TLS holds for a domain, and what it means for each of its hosts')
    .argument('<domain>', 'a domain that mail may go to')
    .requiredOption(...configOption)
    .option('--json', 'write it as JSON')
    .action((domain: string, options: ExplainOptions) => explain(domain, options, terminal));
}

async function explain(text: string, { config, json }: ExplainOptions, terminal: Terminal): Promise<void> {
  const domain = normalizeDomain(text);
  if (domain === undefined) throw new Exit('This is no domain.', exitCodes.usage);
  const { explainTls } = await import('../mta/explain-tls.ts');
  const explanation = await explainTls(domain, await loadOrExit(config, terminal));
  terminal.out(json ? `${JSON.stringify(explanation, undefined, 2)}\n` : formatExplanation(explanation));
}

const meanings: Readonly<Record<ExplainedHost['tls'], string>> = {
  clear: 'clear text',
  opportunistic: 'TLS if it is offered',
  encrypted: 'TLS, any certificate',
  verified: 'TLS, a certificate for its name',
  sts: 'TLS, a certificate for its name',
  dane: 'TLS, a certificate that its TLSA records name',
  barred: 'no connection',
};

function formatExplanation(explanation: TlsExplanation): string {
  const { domain, way, configured, validating, policy, policyFault, hosts, noHost } = explanation;
  const table = new Table(plainTable);
  const add = (...cells: readonly string[]) => table.push(cells.map(printable));
  add('domain', domain);
  add('way', way);
  add('configured', `${configured.level}${configured.raised ? ', or more where the domain publishes it' : ''}`);
  add('DANE', validating ? 'the name servers validate' : 'off: set dns.validating where the name servers validate');
  add('MTA-STS', policy === undefined ? (policyFault ?? 'no policy') : `${policy.mode}: ${policy.mx.join(' ')}`);
  if (policy !== undefined && policyFault !== undefined) add('', policyFault);
  if (noHost !== undefined) add('hosts', noHost);
  for (const { name, addresses, proven, tls, because, tlsa } of hosts) {
    add('host', `${name} (${addresses.join(' ')})${proven ? '' : ', which nothing proves'}`);
    add('', `${meanings[tls]}: ${because}`);
    for (const record of tlsa?.records ?? []) add('', `TLSA ${record}`);
  }
  return `${table.toString()}\n`;
}
