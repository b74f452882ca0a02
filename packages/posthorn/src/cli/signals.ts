/** What the signals of the process do. */
export interface SignalActions {
  /** Ends everything; the process ends with it. */
  readonly stop: () => Promise<void>;
  /** SIGHUP; without it a hang-up stops. */
  readonly hangUp?: () => void;
}

/** Waits for SIGINT or SIGTERM, then stops; a second one ends the process at once, as nothing is lost by that. */
export async function untilStopped({ stop, hangUp }: SignalActions): Promise<void> {
  const stopSignals: NodeJS.Signals[] = hangUp === undefined ? ['SIGINT', 'SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM'];
  if (hangUp !== undefined) process.on('SIGHUP', hangUp);
  await new Promise<void>((resolve) => {
    let asked = false;
    const onSignal = () => {
      if (asked) process.exit(1);
      asked = true;
      resolve();
    };
    for (const signal of stopSignals) process.on(signal, onSignal);
  });
  await stop();
}
