/** The middle value; of an even number of values the lower of the two in the middle. */
export function median(values) {
  return percentile(Float64Array.from(values).sort(), 50);
}

/** A percentile of values that are sorted already (nearest rank). */
export function percentile(sorted, percent) {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

/** Median and 99th percentile in milliseconds of latencies in microseconds. */
export function spread(latencies) {
  const sorted = Float64Array.from(latencies).sort();
  return { p50: percentile(sorted, 50) / 1e3, p99: percentile(sorted, 99) / 1e3 };
}
