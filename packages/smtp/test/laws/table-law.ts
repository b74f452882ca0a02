import { expect } from 'vitest';

/** What a machine is checked against, and how it is observed. */
export interface TableLaw<State extends string, Input extends string> {
  readonly states: readonly State[];
  readonly inputs: readonly Input[];
  /** Written by hand, one transition a line: `state input state`. What is not listed is refused and changes nothing. */
  readonly list: string;
  /** Brings a new machine to the state, gives it the input, and tells where it then is, and whether it said yes. */
  observe(state: State, input: Input): { readonly state: State; readonly accepted: boolean };
}

/** The table law: every state × every input goes where the list says, and nowhere else. */
export function tableLaw<State extends string, Input extends string>(law: TableLaw<State, Input>): void {
  const rows = law.list
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/ *\| */));
  const listed = new Map(rows.map(([state, input, next]) => [`${state} | ${input}`, next]));
  expect(listed.size, 'no transition is listed twice').toBe(rows.length);
  const seen = new Map<string, string>();
  const wanted = new Map<string, string>();
  for (const state of law.states) {
    for (const input of law.inputs) {
      const key = `${state} | ${input}`;
      const { state: next, accepted } = law.observe(state, input);
      seen.set(key, accepted ? next : `no, ${next}`);
      wanted.set(key, listed.get(key) ?? `no, ${state}`);
      listed.delete(key);
    }
  }
  expect([...listed.keys()], 'listed, but no such state or input').toEqual([]);
  expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(wanted));
}
