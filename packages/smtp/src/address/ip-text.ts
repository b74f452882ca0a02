const ipv4 = /^(?:25[0-5]|2[0-4]\d|[01]?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|[01]?\d?\d)){3}$/;
const group = /^[0-9a-f]{1,4}$/i;

/** Whether the text is an IPv4 address in dotted form, one to three digits a part (RFC 5321 §4.1.3). */
export function isIPv4Text(text: string): boolean {
  return ipv4.test(text);
}

/** Whether the text is an IPv6 address: full, compressed (`::` for two groups or more) or v4-mapped (RFC 5321 §4.1.3). */
export function isIPv6Text(text: string): boolean {
  if (text.length > 45) return false;
  const gap = text.indexOf('::');
  if (gap === -1) return countGroups(text, true) === 8;
  const before = countGroups(text.slice(0, gap), false);
  const after = countGroups(text.slice(gap + 2), true);
  return before !== undefined && after !== undefined && before + after <= 6;
}

function countGroups(text: string, mayEndInIPv4: boolean): number | undefined {
  if (text === '') return 0;
  const parts = text.split(':');
  let count = 0;
  for (const [index, part] of parts.entries()) {
    if (group.test(part)) count += 1;
    else if (mayEndInIPv4 && index === parts.length - 1 && isIPv4Text(part)) count += 2;
    else return undefined;
  }
  return count;
}
