/** Many waits on few signals: a signal that a thousand messages share gets one listener, and none once they are done. */
export class AbortWatch {
  readonly #waits = new Map<AbortSignal, { readonly listener: () => void; readonly calls: Set<() => void> }>();

  /** Calls `call` when the signal is aborted; a signal that is aborted already calls nothing. */
  add(signal: AbortSignal, call: () => void): void {
    const known = this.#waits.get(signal);
    if (known !== undefined) {
      known.calls.add(call);
      return;
    }
    const calls = new Set([call]);
    const listener = () => {
      this.#waits.delete(signal);
      for (const each of calls) each();
    };
    this.#waits.set(signal, { listener, calls });
    signal.addEventListener('abort', listener, { once: true });
  }

  /** Takes it back. */
  delete(signal: AbortSignal, call: () => void): void {
    const known = this.#waits.get(signal);
    if (known?.calls.delete(call) !== true || known.calls.size > 0) return;
    this.#waits.delete(signal);
    signal.removeEventListener('abort', known.listener);
  }
}
