import { toBuffer } from './text-source.ts';

/** Where pieces go. */
interface Sink {
  /** Undefined is the end. */
  piece(bytes: Buffer | undefined): void;
  failed(error: unknown): void;
  /** Called behind `piece` or `failed`, if they came later than the call of `feedPieces`. */
  later(): void;
}

type Step = IteratorResult<Uint8Array>;

/** Takes the next piece from its source and hands it on: at once when the source has it. */
export function feedPieces(pieces: AsyncIterator<Uint8Array> | Iterator<Uint8Array>, sink: Sink): void {
  const pass = (step: Step) => sink.piece(step.done ? undefined : toBuffer(step.value));
  try {
    const step = pieces.next();
    if (!('then' in step)) {
      pass(step);
      return;
    }
    step.then(pass, (error: unknown) => sink.failed(error)).then(() => sink.later());
  } catch (error) {
    sink.failed(error);
  }
}
