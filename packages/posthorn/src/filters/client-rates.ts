import { clientNetwork } from '@posthorn/smtp/address/client-network';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import { Allowances } from './allowances.ts';

/** What one client may do within a minute. */
export interface ClientRateRules {
  readonly connections: number;
  readonly messages: number;
  readonly recipients: number;
  /** Messages of one sender, whatever the client; absent: as many as there are. */
  readonly senderMessages?: number;
}

const minute = 60_000;
/** Clients of one network may do so much more together. */
const networkFactor = 8;

/** Bounds what strangers do, each and together with their neighbours (RFC 2505 §2.8). */
export class ClientRates {
  readonly #now: () => number;
  readonly #counters: Readonly<Record<'connections' | 'messages' | 'recipients', readonly Counter[]>>;
  readonly #senders: Allowances | undefined;

  constructor({ senderMessages, ...rules }: ClientRateRules, now: () => number) {
    this.#now = now;
    this.#counters = {
      connections: this.#countersOf(rules.connections),
      messages: this.#countersOf(rules.messages),
      recipients: this.#countersOf(rules.recipients),
    };
    this.#senders = senderMessages === undefined ? undefined : this.#allowances(senderMessages);
  }

  /** Counts a connection; the reply when it is one too many. */
  connection(address: string): Reply | undefined {
    return this.#count('connections', address) === undefined
      ? undefined
      : reply(421, '4.7.0', 'Too many connections from your address; try again later');
  }

  /** Counts a message of a sender, which is empty for the null one; the reply when it is one too many. */
  message(address: string, sender: string): Reply | undefined {
    const wait = this.#count('messages', address);
    if (wait !== undefined) return tooMany(450, 'messages from your address', wait);
    // What nobody sends is sent by everyone.
    const senderWait = sender === '' ? undefined : this.#senders?.take(sender.toLowerCase());
    return senderWait === undefined ? undefined : tooMany(450, 'messages from this sender', senderWait);
  }

  /** Counts a recipient; the reply when it is one too many. */
  recipient(address: string): Reply | undefined {
    const wait = this.#count('recipients', address);
    return wait === undefined ? undefined : tooMany(452, 'recipients from your address', wait);
  }

  #count(what: 'connections' | 'messages' | 'recipients', address: string): number | undefined {
    for (const { allowances, keyOf } of this.#counters[what]) {
      const wait = allowances.take(keyOf(address));
      if (wait !== undefined) return wait;
    }
    return undefined;
  }

  #countersOf(times: number): Counter[] {
    return [
      { allowances: this.#allowances(times), keyOf: clientNetwork },
      { allowances: this.#allowances(times * networkFactor), keyOf: neighbourhood },
    ];
  }

  #allowances(times: number): Allowances {
    return new Allowances({ times, period: minute, now: this.#now });
  }
}

interface Counter {
  readonly allowances: Allowances;
  readonly keyOf: (address: string) => string;
}

/** The IPv4 network of 24 bits, or the IPv6 network of 48 that one site has (RFC 6177 §2). */
function neighbourhood(address: string): string {
  const network = clientNetwork(address);
  const [separator, count] = network.includes(':') ? [':', 3] : ['.', 3];
  return network.split(separator).slice(0, count).join(separator);
}

function tooMany(code: 450 | 452, what: string, wait: number): Reply {
  return reply(code, '4.7.28', `Too many ${what}; try again in ${Math.ceil(wait / 1000)} seconds`);
}
