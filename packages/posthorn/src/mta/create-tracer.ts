import type { Config } from '../config/schema.ts';
import { createStubResolver } from '../dns/stub-resolver.ts';
import { createPolicy } from './policy.ts';
import { type AddressTrace, traceAddress } from './trace-address.ts';

/** Traces addresses as a server with this configuration would treat them. Throws Failure `invalid` for a faulty one. */
export function createTracer(config: Config): (address: string) => Promise<AddressTrace> {
  const parts = { policy: createPolicy(config), resolver: createStubResolver(config.dns), hostname: config.hostname };
  return (address) => traceAddress(address, parts);
}
