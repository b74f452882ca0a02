import { type Reply, reply } from '../reply/reply.ts';

/** Whether it names a class of solicitation, as `org.example:ADV` (RFC 3865 §2.2). */
export function isSolicitationClass(text: string): boolean {
  return /^[a-z][a-z0-9._:-]{0,999}$/i.test(text);
}

/** Reads classes of solicitation with commas between; undefined when one is malformed or all are too long (RFC 3865 §2.2). */
export function parseSolicitation(text: string): string[] | undefined {
  const classes = text.length > 1000 ? [] : text.split(',');
  return classes.length > 0 && classes.every(isSolicitationClass) ? classes : undefined;
}

/** Those of the classes of a message that are refused, whatever the case of their letters (RFC 3865 §2.3). */
export function commonClasses(solicit: readonly string[], refused: readonly string[]): string[] {
  const known = new Set(refused.map((name) => name.toLowerCase()));
  return solicit.filter((name) => known.has(name.toLowerCase()));
}

/** The refusal of a solicitation, which names the classes that are not wanted (RFC 3865 §2.4). */
export function refuseSolicitation(classes: readonly string[]): Reply {
  return reply(550, '5.7.1', `Not wanted here: SOLICIT=${classes.join(',')}`);
}
