/** An ENVID for a message of our own: 32 characters, of the 38 that one may have (RFC 3461 §5.4). */
export function composeEnvelopeId(random: (octets: number) => Buffer): string {
  return random(16).toString('hex');
}
