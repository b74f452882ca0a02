import { Failure } from '@posthorn/smtp/failure/failure';

/** What to say when nobody listens where the running server would. */
export function noServer(cause: unknown): Failure {
  return new Failure('refused', 'No server runs with this configuration. Start it with `posthorn serve`.', cause);
}
