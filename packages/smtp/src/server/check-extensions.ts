import { isPriorityPolicy } from '../command/priority-policy.ts';
import { isSolicitationClass } from '../command/solicitation.ts';
import { Failure } from '../failure/failure.ts';
import type { ExtensionRules } from '../protocol/extension-rules.ts';

/** Refuses what no EHLO reply could say. Throws Failure `invalid`. */
export function checkExtensions({ deliverBy, futureRelease, priority, noSoliciting }: ExtensionRules = {}): void {
  check('deliverBy.minimum', isCount(deliverBy?.minimum ?? 0, 0));
  check('futureRelease.longest', isCount(futureRelease?.longest ?? 1, 1));
  check('priority.policy', isPriorityPolicy(priority?.policy ?? 'none'));
  check('noSoliciting.refused', (noSoliciting?.refused ?? []).every(isSolicitationClass));
}

/** Nine digits are the most that a line may have (RFC 2852 §3, RFC 4865 §3). */
function isCount(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least && value <= 999_999_999;
}

function check(what: string, isSound: boolean): void {
  if (!isSound) throw new Failure('invalid', `extensions.${what} is out of its range`);
}
