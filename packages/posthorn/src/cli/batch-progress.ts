import { createHash } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';

interface Done {
  readonly messages: number;
  /** Recipients of the next message that need it no more. */
  readonly recipients: readonly string[];
}

const nothing: Done = { messages: 0, recipients: [] };

/** How much of a batch is done: beside its file, and on disk before the next message is begun (RFC 2442). */
export class BatchProgress {
  readonly #path: string | undefined;
  readonly #digest: string;
  #done: Done;

  private constructor(path: string | undefined, digest: string, done: Done) {
    this.#path = path;
    this.#digest = digest;
    this.#done = done;
  }

  /** Reads what was recorded of this very batch; without a path nothing is. */
  static async open(path: string | undefined, batch: Buffer): Promise<BatchProgress> {
    const digest = createHash('sha256').update(batch).digest('hex');
    const text = path === undefined ? '' : await readFile(path, 'utf8').catch(() => '');
    return new BatchProgress(path, digest, readDone(text, digest));
  }

  /** Messages that are done. */
  get messages(): number {
    return this.#done.messages;
  }

  /** Recipients of the next message that need it no more. */
  get recipients(): ReadonlySet<string> {
    return new Set(this.#done.recipients);
  }

  /** Records that the message is done, or for whom of its recipients. */
  async record(done: 'message' | readonly string[]): Promise<void> {
    const { messages, recipients } = this.#done;
    this.#done =
      done === 'message'
        ? { messages: messages + 1, recipients: [] }
        : { messages, recipients: [...recipients, ...done] };
    if (this.#path !== undefined) await this.#write(this.#path);
  }

  /** All is done: nothing is left to be known. */
  async end(): Promise<void> {
    if (this.#path !== undefined) await rm(this.#path, { force: true });
  }

  async #write(path: string): Promise<void> {
    const handle = await open(`${path}.new`, 'w');
    try {
      await handle.writeFile(`${JSON.stringify({ batch: this.#digest, ...this.#done })}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.new`, path);
  }
}

function readDone(text: string, digest: string): Done {
  try {
    const { batch, messages, recipients } = JSON.parse(text) as Partial<Done> & { batch?: string };
    const isGood = batch === digest && Number.isSafeInteger(messages) && Array.isArray(recipients);
    return isGood ? { messages: messages as number, recipients: recipients as string[] } : nothing;
  } catch {
    return nothing;
  }
}
