import { directoryMistakes } from './directory-checks.ts';
import { extensionMistakes } from './extension-checks.ts';
import { listenerMistakes } from './listener-checks.ts';
import { loginMistakes } from './login-checks.ts';
import { formatPath, type Mistake } from './mistake.ts';
import { onDemandMistakes } from './on-demand-checks.ts';
import { openRelayMistakes } from './open-relay-checks.ts';
import { entriesOf, isRecord, type Plain } from './plain.ts';
import { srsMistakes } from './srs-fields.ts';
import { outboundTlsMistakes } from './tls-checks.ts';

/** What no single value shows. Reads plain data that need not be well formed, so that all mistakes come at once. */
export function crossChecks(config: Plain): Mistake[] {
  if (!isRecord(config)) return [];
  return [
    ...listenerMistakes(config),
    ...openRelayMistakes(config),
    ...domainMistakes(config),
    ...directoryMistakes(config),
    ...onDemandMistakes(config),
    ...loginMistakes(config),
    ...extensionMistakes(config),
    ...srsMistakes(config),
    ...outboundTlsMistakes(config),
  ];
}

function domainMistakes(config: { readonly [key: string]: Plain }): Mistake[] {
  return entriesOf(config.domains).flatMap(([name, domain]) => (isRecord(domain) ? formMistakes(name, domain) : []));
}

/** Mailboxes need a place; a domain without any is relayed. */
function formMistakes(name: string, domain: { readonly [key: string]: Plain }): Mistake[] {
  const path = formatPath(['domains', name]);
  const relays = domain.relay === true;
  const hasNames = ['mailboxes', 'aliases', 'aliasFiles', 'forwards', 'gateway', 'lists', 'batches'].some(
    (field) => field in domain,
  );
  if (!relays && !hasNames) {
    return [{ path, message: 'has no addresses', remedy: 'Add deliver and mailboxes, or set relay to true.' }];
  }
  if ('deliver' in domain && relays && !('mailboxes' in domain)) {
    const message = 'has no effect: the domain has no mailboxes here';
    return [
      { path: formatPath(['domains', name, 'deliver']), message, remedy: 'Add mailboxes, or take deliver away.' },
    ];
  }
  if ('deliver' in domain || (relays && !('mailboxes' in domain))) return [];
  // Even a domain of aliases alone has the mailbox of its postmaster.
  const remedy = 'Add deliver, such as "maildir:/var/mail/{domain}/{local}".';
  return [{ path, message: 'does not say where its mailboxes are', remedy }];
}
