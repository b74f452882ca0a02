import type { TlsState } from '../protocol/dialogue.ts';
import type { ServerRules } from '../protocol/server-rules.ts';
import { ServerSession } from '../protocol/server-session.ts';
import type { SessionRecorder } from './session-recorder.ts';

/** A session that is written down as it goes, within TLS too (RFC 5321 §3.1). */
export class RecordedSession extends ServerSession {
  readonly #recorder: SessionRecorder;

  constructor(rules: ServerRules, now: number, recorder: SessionRecorder) {
    super(rules, now);
    this.#recorder = recorder;
  }

  /** Each reply goes out before the next command is looked at: what a dropped connection had said before is not lost with it. */
  override get isUrgent(): boolean {
    return true;
  }

  override receive(bytes: Buffer, now: number): void {
    this.#recorder.client(bytes);
    super.receive(bytes, now);
  }

  override takeOutput(): string {
    const output = super.takeOutput();
    if (output !== '') this.#recorder.server(output);
    return output;
  }

  override secured(tls: TlsState, now: number): void {
    this.#recorder.note(tls.protocol);
    super.secured(tls, now);
  }
}
