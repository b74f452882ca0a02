/** A copy in an order by chance, each order as likely as any other; `chance` gives numbers from 0 to below 1. */
export function shuffle<T>(list: readonly T[], chance: () => number): T[] {
  const shuffled = [...list];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(chance() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
  }
  return shuffled;
}
