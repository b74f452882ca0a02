import type { Session } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';
import type { Directory } from '../directory/directory.ts';
import { createAudience } from './audience.ts';

/** Who learns what about the people here (RFC 5321 §7.3). */
export interface Disclosure {
  mayVerify(session: Session): boolean;
  mayExpand(session: Session): boolean;
  /** Whether the new address of somebody who moved is told. */
  mayLearnForward(session: Session): boolean;
  /** Whether nothing is ever told of an address. */
  isHidden(address: string): boolean;
}

/** Reads what is disclosed out of a configuration. */
export function createDisclosure({ disclosure }: Config, directory: Pick<Directory, 'keyOf'>): Disclosure {
  const hidden = new Set(disclosure.hidden.map(directory.keyOf));
  return {
    mayVerify: createAudience(disclosure.verify),
    mayExpand: createAudience(disclosure.expand),
    mayLearnForward: createAudience(disclosure.forwards),
    isHidden: (address) => hidden.has(directory.keyOf(address)),
  };
}
