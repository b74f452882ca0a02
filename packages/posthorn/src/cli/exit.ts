/** How a command ends that does not end well; each is an exit code of the process. */
export const exitCodes = { failed: 1, usage: 2, temporary: 75 } as const;

/** Ends a command with a text that says what to do. */
export class Exit extends Error {
  readonly code: number;

  constructor(text: string, code: number = exitCodes.failed) {
    super(text);
    this.code = code;
  }
}
