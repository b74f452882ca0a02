/** What is kept under a key. */
interface Kept {
  readonly octets: number;
  /** Whom it counts for; undefined: nobody. */
  readonly client: string | undefined;
}

/** What may be kept in all. */
interface Room {
  readonly count: number;
  readonly octets: number;
}

/** The part of the room that one client may have: so many times less, of the count and of the octets. */
const countShare = 20;
const octetShare = 8;
/** What one client may have however small the room is. */
const leastCount = 10;

/** A client's keys, oldest first, and what they sum up to. */
interface Holding {
  readonly client: string | undefined;
  readonly keys: string[];
  octets: number;
}

/**
 * The keys that have to go, of entries in the order of their age: of each client the oldest beyond its part, the newest
 * left out; then, while it is too much in all, the oldest of the client that has most.
 */
export function keysTooMany(entries: ReadonlyMap<string, Kept>, room: Room): string[] {
  const holdings = holdingsOf(entries);
  const gone: string[] = [];
  const drop = (holding: Holding) => {
    const key = holding.keys.shift();
    if (key === undefined) return;
    holding.octets -= entries.get(key)?.octets ?? 0;
    gone.push(key);
  };
  const most = Math.max(leastCount, Math.ceil(room.count / countShare));
  for (const holding of holdings) {
    if (holding.client === undefined) continue;
    while (holding.keys.length > 1 && (holding.keys.length > most || holding.octets > room.octets / octetShare))
      drop(holding);
  }
  for (;;) {
    const isCrowded = entries.size - gone.length > room.count;
    const isFull = holdings.reduce((sum, { octets }) => sum + octets, 0) > room.octets;
    if (!isCrowded && !isFull) return gone;
    const size = isFull ? ({ octets }: Holding) => octets : ({ keys }: Holding) => keys.length;
    drop(holdings.reduce((one, other) => (size(other) > size(one) ? other : one)));
  }
}

function holdingsOf(entries: ReadonlyMap<string, Kept>): Holding[] {
  const holdings = new Map<string | undefined, Holding>();
  for (const [key, { client, octets }] of entries) {
    let holding = holdings.get(client);
    if (holding === undefined) {
      holding = { client, keys: [], octets: 0 };
      holdings.set(client, holding);
    }
    holding.keys.push(key);
    holding.octets += octets;
  }
  return [...holdings.values()];
}
