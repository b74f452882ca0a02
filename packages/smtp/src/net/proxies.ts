import { networkMatcher, parseNetwork } from '../address/network.ts';
import { Failure } from '../failure/failure.ts';

/** Tells of an address whether it is a proxy's, by networks in text. Throws Failure `invalid` (PROXY protocol §5, RFC 4632 §3.1). */
export function proxyMatcher(networks: readonly string[]): (address: string) => boolean {
  return networkMatcher(
    networks.map((text) => {
      const network = parseNetwork(text);
      if (network === undefined) throw new Failure('invalid', `${text} is no network`);
      return network;
    }),
  );
}
