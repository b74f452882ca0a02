import { Failure } from '../failure/failure.ts';
import { describeFilter, describeMail, type MailFilter, matchesMail } from './mail-filter.ts';
import type { ReceivedMail } from './received-mail.ts';

/** Which mail is waited for, and for how long. */
export interface NextOptions extends MailFilter {
  readonly signal?: AbortSignal;
  /** Milliseconds; default 5 seconds. */
  readonly timeout?: number;
}

interface Waiter {
  readonly filter: MailFilter;
  settle(result: ReceivedMail | Failure): void;
}

const defaultTimeout = 5000;
/** Mails that are named to whoever waits in vain. */
const mostNamed = 10;

/** The mails of an inbox, and those who wait for the next one. */
export class MailBox {
  /** Octets of all that is kept. */
  octets = 0;
  #messages: ReceivedMail[] = [];
  #unread: ReceivedMail[] = [];
  readonly #waiters = new Set<Waiter>();
  /** What else happened, for whoever waits in vain. */
  readonly #explain: () => string;

  constructor(explain: () => string) {
    this.#explain = explain;
  }

  get messages(): readonly ReceivedMail[] {
    return [...this.#messages];
  }

  /** Keeps a mail; the first who waits for such a one gets it. */
  add(mail: ReceivedMail): void {
    this.#messages.push(mail);
    this.octets += mail.source.length;
    const waiter = [...this.#waiters].find(({ filter }) => matchesMail(mail, filter));
    if (waiter === undefined) this.#unread.push(mail);
    else waiter.settle(mail);
  }

  /**
   * The oldest mail that fits and that nobody was given yet, as soon as there is one. Rejects with Failure `timeout`, and
   * tells what did arrive; or with Failure `aborted`.
   */
  next({ signal, timeout = defaultTimeout, ...filter }: NextOptions): Promise<ReceivedMail> {
    const index = this.#unread.findIndex((mail) => matchesMail(mail, filter));
    if (index >= 0) return Promise.resolve(this.#unread.splice(index, 1)[0] as ReceivedMail);
    return new Promise((resolve, reject) => {
      const onAbort = () =>
        waiter.settle(new Failure('aborted', `Waiting for ${describeFilter(filter)} was aborted`, signal?.reason));
      const waiter: Waiter = {
        filter,
        settle: (result) => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          this.#waiters.delete(waiter);
          if (result instanceof Failure) reject(result);
          else resolve(result);
        },
      };
      const timer = setTimeout(() => waiter.settle(this.#lateness(filter, timeout)), timeout);
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted) onAbort();
    });
  }

  clear(): void {
    this.#messages = [];
    this.#unread = [];
    this.octets = 0;
  }

  /** Nothing more comes. */
  close(): void {
    for (const { settle, filter } of this.#waiters) {
      settle(new Failure('aborted', `The inbox was closed while ${describeFilter(filter)} was waited for`));
    }
  }

  #lateness(filter: MailFilter, timeout: number): Failure {
    const all = this.#messages;
    const told = all.slice(-mostNamed).map((mail) => {
      return `\n  ${describeMail(mail)}${this.#unread.includes(mail) ? '' : ' (given out already)'}`;
    });
    const arrived =
      all.length === 0 ? 'nothing arrived' : `${all.length} arrived${all.length > told.length ? ', at last' : ''}:`;
    return new Failure(
      'timeout',
      `No ${describeFilter(filter)} within ${timeout} ms; ${arrived}${told.join('')}${this.#explain()}`,
    );
  }
}
