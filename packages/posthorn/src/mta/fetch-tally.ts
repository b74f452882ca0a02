/** Counts what comes in by a connection that fetches mail; it is the state of that session. */
export class FetchTally {
  messages = 0;
  /** Of message text. */
  octets = 0;
  /** Called once when the session is over. */
  onEnd: (() => void) | undefined;

  /** Counts a message that was taken. */
  add(octets: number): void {
    this.messages += 1;
    this.octets += octets;
  }
}
