import type { HandlerAnswer } from '@posthorn/smtp/server';

type Decision = HandlerAnswer | Promise<HandlerAnswer>;

/** Goes on where nothing speaks against it so far; at once where that was known at once. A good reply that says more stays. */
export function unlessRefused(first: Decision, next: () => Decision): Decision {
  if (first instanceof Promise) return first.then((reply) => unlessRefused(reply, next));
  if (first === undefined) return next();
  if (first.code >= 400) return first;
  const second = next();
  return second instanceof Promise ? second.then((reply) => reply ?? first) : (second ?? first);
}
