import { clientNetwork } from '../address/client-network.ts';

/** How many connections there may be at once. */
export interface AdmissionLimits {
  readonly connections: number;
  /** From one IPv4 address, or one IPv6 network of 64 bits. */
  readonly connectionsPerAddress: number;
}

/** Counts connections, so that no crowd and no single client takes all there is (RFC 5321 §4.5.4.2). */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /**
   * Counts a connection in. `refuse`: it is told that there are too many; `drop`: even those who are told are too many.
   * Whatever the answer, `leave` must follow.
   */
  enter(address: string): 'admit' | 'refuse' | 'drop' {
    const key = clientNetwork(address);
    const count = (this.#byAddress.get(key) ?? 0) + 1;
    this.#byAddress.set(key, count);
    this.#total += 1;
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#total <= connections && (count <= connectionsPerAddress || address === 'local')) return 'admit';
    return this.#total <= connections + spare(connections) && count <= 2 * connectionsPerAddress + 1
      ? 'refuse'
      : 'drop';
  }

  /** Counts a connection out. */
  leave(address: string): void {
    const key = clientNetwork(address);
    const count = (this.#byAddress.get(key) ?? 0) - 1;
    if (count > 0) this.#byAddress.set(key, count);
    else this.#byAddress.delete(key);
    this.#total -= 1;
  }
}

/** Connections that may be told that there are too many, at once. */
function spare(connections: number): number {
  return Math.ceil(connections / 10) + 1;
}
