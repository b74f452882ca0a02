import type { LoggedIn, UtmpLayout } from '../../src/agents/parse-utmp.ts';

/** A record of utmp, as the system writes it. */
export function utmpRecord({ user, line }: LoggedIn, { size, littleEndian }: UtmpLayout, kind = 7): Buffer {
  const record = Buffer.alloc(size);
  if (littleEndian) record.writeInt16LE(kind, 0);
  else record.writeInt16BE(kind, 0);
  record.write(line, 8, 32, 'latin1');
  record.write(user, 44, 32, 'latin1');
  return record;
}
