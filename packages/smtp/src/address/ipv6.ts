const group = /^[0-9a-f]{1,4}$/i;
const ipv4 = /^(?:25[0-5]|2[0-4]\d|[01]?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|[01]?\d?\d)){3}$/;

function countGroups(text: string, mayEndInIPv4: boolean): number | undefined {
  if (text === '') return 0;
  const parts = text.split(':');
  let count = 0;
  for (const [index, part] of parts.entries()) {
    if (group.test(part)) count += 1;
    else if (mayEndInIPv4 && index === parts.length - 1 && ipv4.test(part)) count += 2;
    else return undefined;
  }
  return count;
}

/** Whether the text is an IPv6 address: full, compressed (`::` for two groups or more) or v4-mapped (RFC 5321 §4.1.3). */
export function isIPv6Text(text: string): boolean {
  if (text.length > 45) return false;
  const gap = text.indexOf('::');
  if (gap === -1) return countGroups(text, true) === 8;
  if (text.includes('::', gap + 1)) return false;
  const before = countGroups(text.slice(0, gap), false);
  const after = countGroups(text.slice(gap + 2), true);
  return before !== undefined && after !== undefined && before + after <= 6;
}
