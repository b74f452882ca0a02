/** The protocol version that is spoken; older ones are understood. */
export const milterVersion = 6;
/** Below it a filter knows nothing of DATA. */
const dataSince = 4;

/** What a filter may change, one bit each. */
const milterActions = {
  addFields: 0x01,
  replaceBody: 0x02,
  addRecipients: 0x04,
  removeRecipients: 0x08,
  changeFields: 0x10,
  hold: 0x20,
  changeSender: 0x40,
  addRecipientsWithParameters: 0x80,
  chooseMacros: 0x100,
} as const;

/** Stages of a session that a filter hears of. */
export type MilterStage = 'connect' | 'hello' | 'mail' | 'recipient' | 'data' | 'field' | 'header-end' | 'body' | 'end';

/** Per stage: the bit by which a filter does without it, and the bit by which it does without answering it. */
const stepBits: Readonly<Record<Exclude<MilterStage, 'end'>, { readonly skip: number; readonly silent: number }>> = {
  connect: { skip: 0x01, silent: 0x1000 },
  hello: { skip: 0x02, silent: 0x2000 },
  mail: { skip: 0x04, silent: 0x4000 },
  recipient: { skip: 0x08, silent: 0x8000 },
  body: { skip: 0x10, silent: 0x80000 },
  field: { skip: 0x20, silent: 0x80 },
  'header-end': { skip: 0x40, silent: 0x40000 },
  data: { skip: 0x200, silent: 0x10000 },
};
/** Commands that this side does not know: they are never sent. */
const noUnknown = 0x100;
const noUnknownReply = 0x20000;
/** The filter may say that it needs no more of the body. */
const skipAnswer = 0x400;
/** Values of fields keep the blank behind the colon. */
const leadingBlank = 0x100000;

/** All actions that are offered. */
export const offeredActions = Object.values(milterActions).reduce((all, bit) => all | bit, 0);

/** All steps that are offered. */
export const offeredSteps = Object.values(stepBits).reduce(
  (all, { skip, silent }) => all | skip | silent,
  noUnknown | noUnknownReply | skipAnswer | leadingBlank,
);

/** What both sides agreed on. */
export interface MilterTerms {
  readonly version: number;
  readonly actions: number;
  readonly steps: number;
  /** The macros that the filter wants at a stage, where it says so. */
  readonly macros: ReadonlyMap<MilterStage, readonly string[]>;
}

/** Whether the filter asks for no more than was offered. */
export function areTermsGood({ version, actions, steps }: MilterTerms): boolean {
  return version >= 2 && version <= milterVersion && (actions & ~offeredActions) === 0 && (steps & ~offeredSteps) === 0;
}

/** Whether the filter wants to hear of a stage. */
export function isWanted({ version, steps }: MilterTerms, stage: MilterStage): boolean {
  if (stage === 'end') return true;
  if (stage === 'data' && version < dataSince) return false;
  return (steps & stepBits[stage].skip) === 0;
}

/** Whether the filter says nothing to a stage. */
export function isSilent({ steps }: MilterTerms, stage: MilterStage): boolean {
  return stage !== 'end' && (steps & stepBits[stage].silent) !== 0;
}

/** Whether values of fields go with the blank behind the colon. */
export function keepsLeadingBlank({ steps }: MilterTerms): boolean {
  return (steps & leadingBlank) !== 0;
}
