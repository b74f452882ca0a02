/**
 * The local domain that a bare `Postmaster` and the literals of our own addresses belong to: the host's own name, else the
 * nearest domain above it, else the first one, else its name after all. All names are normalized (RFC 5321 §4.5.1).
 */
export function homeDomain(hostname: string, localDomains: readonly string[]): string {
  for (let name = hostname; name !== ''; name = name.includes('.') ? name.slice(name.indexOf('.') + 1) : '') {
    if (localDomains.includes(name)) return name;
  }
  return localDomains[0] ?? hostname;
}
