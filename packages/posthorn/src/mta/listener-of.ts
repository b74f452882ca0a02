import type { Listener } from '@posthorn/smtp/server';
import type { TrackingListener } from '@posthorn/smtp/tracking';
import type { Config } from '../config/schema.ts';
import { hasCertificates, type LoginWays, usualMechanisms } from '../logins/usual-mechanisms.ts';

type Configured = Config['listeners'][number];
type TrackingRole = { readonly role: 'mtqp' };
type NoMailRole = { readonly role: 'none' };

/** A listener for mail, as the server knows it. */
export function listenerOf(listener: Exclude<Configured, TrackingRole | NoMailRole>, ways: LoginWays): Listener {
  const { role } = listener;
  const { mechanisms = usualMechanisms(role, ways) } = listener as Pick<Listener, 'mechanisms'>;
  // Those who have no certificate to show are not bothered.
  const askForCertificate = mechanisms.includes('EXTERNAL') && hasCertificates(ways);
  return { role, ...placeOf(listener), mechanisms, askForCertificate };
}

/** A listener for tracking queries, as the tracking server knows it. */
export function trackingListenerOf(listener: Extract<Configured, TrackingRole>): TrackingListener {
  return placeOf(listener);
}

/** A listener that takes no mail, as a server of its own knows it. */
export function noMailListenerOf(listener: Extract<Configured, NoMailRole>): Listener {
  return { role: 'mx', ...placeOf(listener) };
}

function placeOf({ requireTls, proxyProtocol, ...address }: Configured): TrackingListener {
  const proxies = proxyProtocol.map(({ address: network, prefix }) => `${network}/${prefix}`);
  const { path, host, port } = address as { path?: string; host?: string; port?: number };
  const where = path !== undefined ? { path } : { port: port ?? 0, ...(host === undefined ? {} : { host }) };
  return { requireTls, ...where, ...(proxies.length === 0 ? {} : { proxies }) };
}
