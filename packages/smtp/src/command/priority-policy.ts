/** Whether it can be the name of what the levels of MT-PRIORITY mean, as `MIXER` (RFC 6710 §7). */
export function isPriorityPolicy(text: string): boolean {
  return /^[a-z0-9._-]{1,20}$/i.test(text);
}
