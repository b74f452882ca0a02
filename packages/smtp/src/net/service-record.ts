/** One SRV record, as `node:dns` gives it (RFC 2782). */
export interface ServiceRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** The target host; `.` when the service is decidedly not there. */
  readonly name: string;
}

/**
 * The order in which hosts are tried: the lowest priority number first, within it by chance, the more often first the more
 * weight a record has (RFC 2782).
 */
export function orderServices(records: readonly ServiceRecord[], chance: () => number): ServiceRecord[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((one, other) => one - other);
  return priorities.flatMap((wanted) =>
    drawAll(
      records.filter(({ priority }) => priority === wanted),
      chance,
    ),
  );
}

/** Records without weight stand before the others, so that they have a small chance to be first. */
function drawAll(records: readonly ServiceRecord[], chance: () => number): ServiceRecord[] {
  const left = [...records].sort((one, other) => Number(one.weight > 0) - Number(other.weight > 0));
  const drawn: ServiceRecord[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    const mark = Math.floor(chance() * (total + 1));
    let sum = 0;
    const index = left.findIndex(({ weight }) => {
      sum += weight;
      return sum >= mark;
    });
    drawn.push(...left.splice(index, 1));
  }
  return drawn;
}
