/** What may stand at the head of a test title: `CMD-BDAT-4 CMD-BDAT-6 discards …`, `ENH-1/5.1.1 …`. */
const leading =
  /^((?:GEN|ADR|CMD|REP|ENH|EXT|CLI|DSN|TRC|SUB|LMTP|LOC|SEC|EX)-[A-Za-z0-9/.-]*[A-Za-z0-9])(?:[ ,:;]+|$)/;

/** The requirement IDs that a test title begins with, as they are written. */
export function leadingIds(title) {
  const ids = [];
  let rest = title;
  for (
    let match = leading.exec(rest);
    match !== null && /^[A-Z]+-[A-Z0-9]/.test(match[1]);
    match = leading.exec(rest)
  ) {
    ids.push(match[1]);
    rest = rest.slice(match[0].length);
  }
  return ids;
}

/**
 * Which rows of the list a written ID stands for, each with the status code that it is narrowed to, if any:
 * `REP-235` is part of `REP-235/334`, `ENH-1/5.1.1` of the one row among `ENH-1a` … that names this code.
 * An empty list means that there is no such requirement.
 */
export function resolveId(written, requirements) {
  const exact = requirements.find(({ id }) => id === written);
  if (exact) return [{ id: exact.id }];
  const [base, ...narrowed] = written.split('/');
  const code = narrowed.join('/');
  const rows = requirements.filter(({ id }) => id === base || id.replace(/[a-z]$/, '') === base);
  if (/^[X245]\.\d+\.\d+$/.test(code)) {
    return rows.filter((row) => codesOf(row).includes(detailOf(code))).map(({ id }) => ({ id, code: detailOf(code) }));
  }
  return code === '' ? partsOf(base, requirements) : [];
}

function partsOf(written, requirements) {
  const [, group, part] = /^([A-Z]+)-(\d+)$/.exec(written) ?? [];
  const rows = requirements.filter(({ id }) => id.startsWith(`${group}-`) && id.includes('/'));
  return rows
    .filter(({ id }) =>
      id
        .slice(group.length + 1)
        .split('/')
        .includes(part),
    )
    .map(({ id }) => ({ id, code: part }));
}

/** What has to be proven before a row counts when its tests are narrowed: its codes, or the parts of its ID. */
export function codesOf({ id, requirement }) {
  if (id.includes('/')) return id.slice(id.indexOf('-') + 1).split('/');
  return [...new Set([...requirement.matchAll(/\b[X245]\.\d+\.\d+\b/g)].map(([code]) => detailOf(code)))];
}

/** A status without its class: the same detail may be temporary or permanent. */
function detailOf(code) {
  return code.slice(2);
}
