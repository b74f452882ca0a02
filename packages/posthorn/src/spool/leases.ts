import type { Place } from './record.ts';

/** A message in somebody's hands. */
export interface Lease {
  /** When it ends by itself, in milliseconds since the epoch. */
  readonly until: number;
  readonly place: Place;
}

/** Who has which message, in memory: a store that is opened again has no leases. */
export class Leases {
  readonly #leases = new Map<string, Lease>();
  readonly #isBusy: (id: string) => boolean;
  #nextEnd = Number.POSITIVE_INFINITY;

  /** A lease does not end while its message is `isBusy`: a change of it is on its way to the disk. */
  constructor(isBusy: (id: string) => boolean) {
    this.#isBusy = isBusy;
  }

  has(id: string): boolean {
    return this.#leases.has(id);
  }

  get(id: string): Lease | undefined {
    return this.#leases.get(id);
  }

  take(id: string, lease: Lease): void {
    this.#leases.set(id, lease);
    if (lease.until < this.#nextEnd) this.#nextEnd = lease.until;
  }

  drop(id: string): void {
    this.#leases.delete(id);
  }

  /** Ends the leases whose time is over; looks at all of them only when one may have ended. */
  expire(now: number, ended: (place: Place) => void): void {
    if (now < this.#nextEnd) return;
    this.#nextEnd = Number.POSITIVE_INFINITY;
    for (const [id, lease] of this.#leases) {
      if (lease.until <= now && !this.#isBusy(id)) {
        this.#leases.delete(id);
        ended(lease.place);
      } else if (lease.until < this.#nextEnd) {
        this.#nextEnd = lease.until;
      }
    }
  }
}
