import type { Duplex } from 'node:stream';
import type { Application } from './application.ts';
import type { Connection, ConnectionHost } from './connection-host.ts';
import { handOver } from './hand-over.ts';
import type { AnyEvent, ServedSession } from './served-session.ts';
import { shakeHands } from './shake-hands.ts';
import { disown, own, type StreamOwner } from './stream-owner.ts';

/** Milliseconds for a TLS handshake, and for a client to take its last reply and hang up. */
const handshakeTime = 30_000;
const lingerTime = 5_000;
/** Characters of output that are written at once, however long the group of commands is. */
const outputSize = 16_384;

/** How a connection begins. */
interface ConnectionStart {
  readonly implicitTls: boolean;
  readonly asksForCertificate?: boolean;
}

/**
 * Pumps one session: octets in, events to the application, answers back, octets out (RFC 5321 §2.2). While an answer is
 * awaited, or the client does not read its replies, nothing more is read from it, so that memory stays flat.
 */
export class ServerConnection<E extends AnyEvent, A> implements Connection, StreamOwner {
  readonly #host: ConnectionHost;
  readonly #session: ServedSession<E, A>;
  readonly #application: Application<E, A>;
  #stream: Duplex;
  /** What nothing is read for: an answer, time, the client's reading, a handshake. */
  #waiting: 'answer' | 'delay' | 'drain' | 'handshake' | undefined;
  /** Tells an answer that is still wanted from one that came too late. */
  #turn = 0;
  /** When the waiting, or the closing, has lasted too long. */
  #deadline = Number.POSITIVE_INFINITY;
  #asksForCertificate = false;
  #ended = false;
  #closing = false;
  /** The stream belongs to the application. */
  #turned = false;

  constructor(host: ConnectionHost, stream: Duplex, session: ServedSession<E, A>, application: Application<E, A>) {
    this.#host = host;
    this.#session = session;
    this.#application = application;
    this.#stream = stream;
  }

  /** Begins: with a TLS handshake where the listener's port is for TLS alone (RFC 8314 §3). */
  start({ implicitTls, asksForCertificate = false }: ConnectionStart): void {
    own(this.#stream, this);
    this.#asksForCertificate = asksForCertificate;
    if (implicitTls) this.#shakeHands();
    else this.#resume();
  }

  /** Ends what has lasted too long; called now and then. */
  tick(now: number): void {
    if (now >= this.#deadline) this.#overdue();
    else if (this.#waiting === undefined && now >= this.#session.deadline()) {
      this.#session.expire(now);
      this.#flush();
    } else if (this.#waiting === 'drain' && now >= this.#session.deadline()) this.#stream.destroy();
  }

  /** Ends the session after the transaction under way (RFC 5321 §3.8). */
  drain(): void {
    if (this.#turned) return;
    if (this.#waiting === 'handshake') {
      this.destroy();
      return;
    }
    this.#session.shutdown();
    if (this.#waiting === undefined) this.#pump();
  }

  /** Ends the session now. */
  abandon(why: 'shutdown' | 'fault'): void {
    if (this.#turned || this.#waiting === 'handshake') {
      this.destroy();
      return;
    }
    this.#turn += 1;
    this.#session.abandon(why);
    this.#waiting = undefined;
    this.#flush();
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this.#stream.destroy();
  }

  receive(bytes: Buffer): void {
    if (this.#closing) return;
    this.#session.receive(bytes, this.#host.now());
    if (this.#waiting === undefined) this.#pump();
    else this.#stream.pause();
  }

  /** The client sends nothing more; what it sent is still answered. */
  inputEnded(): void {
    this.#ended = true;
    if (this.#closing) return;
    if (this.#waiting === undefined) this.#finish();
    else if (this.#waiting === 'handshake') this.#stream.destroy();
  }

  drained(): void {
    if (this.#waiting === 'drain') this.#resume();
  }

  closed(stream: Duplex): void {
    if (stream !== this.#stream) return;
    this.#turn += 1;
    this.#closing = true;
    this.#waiting = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
    disown(this.#stream);
    try {
      this.#application.close();
    } catch (error) {
      this.#host.report(error);
    }
    this.#host.closed(this);
  }

  #pump(): void {
    this.#guard(() => this.#run());
  }

  /** A fault of ours ends this session, not the process. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#host.report(error);
      this.abandon('fault');
    }
  }

  /** Takes events until there is none, or one that has to wait. */
  #run(): void {
    const session = this.#session;
    for (let event = session.next(); event !== undefined; event = session.next()) {
      const answer = this.#ask(event);
      if (answer instanceof Promise) {
        this.#awaitAnswer(answer);
        return;
      }
      if (session.isAsking) session.answer(answer, this.#host.now());
      if (!this.#mayGoOn()) return;
    }
    this.#settle();
  }

  /** Whether the next event may be taken: no penalty to wait for, and no heap of replies. */
  #mayGoOn(): boolean {
    const delay = this.#session.takeDelay();
    if (delay > 0) this.#holdBack(delay);
    else if (this.#session.outputLength > outputSize) this.#flush();
    return this.#waiting === undefined && !this.#closing;
  }

  #settle(): void {
    const delay = this.#session.takeDelay();
    if (delay > 0 && !this.#session.isOver) {
      this.#holdBack(delay);
      return;
    }
    this.#flush();
    if (this.#waiting !== undefined || this.#closing) return;
    if (this.#session.awaitsTls) this.#shakeHands();
    else if (this.#ended) this.#finish();
  }

  #ask(event: E): A | Promise<A> {
    try {
      // Without a certificate after all, TLS is not to be had for now.
      if (event.kind === 'starttls' && this.#host.tls === undefined) return this.#session.tlsUnavailable;
      return this.#application.handle(event);
    } catch (error) {
      this.#host.report(error);
      return this.#session.failed;
    }
  }

  #awaitAnswer(answer: Promise<A>): void {
    const turn = ++this.#turn;
    if (this.#session.isUrgent) this.#flush();
    this.#wait('answer', Math.min(this.#host.handlerTime, this.#application.answerTime ?? Number.POSITIVE_INFINITY));
    answer.then(
      (value) => this.#answered(turn, value),
      (error: unknown) => {
        this.#host.report(error);
        this.#answered(turn, this.#session.failed);
      },
    );
  }

  #answered(turn: number, answer: A): void {
    if (turn !== this.#turn) return;
    this.#guard(() => this.#session.isAsking && this.#session.answer(answer, this.#host.now()));
    const delay = this.#session.takeDelay();
    if (delay > 0 && !this.#closing) this.#holdBack(delay);
    else this.#resume();
  }

  #holdBack(delay: number): void {
    const turn = ++this.#turn;
    this.#wait('delay', Number.POSITIVE_INFINITY);
    setTimeout(() => turn === this.#turn && this.#resume(), delay).unref();
  }

  #wait(why: 'answer' | 'delay' | 'drain' | 'handshake', time: number): void {
    this.#waiting = why;
    this.#deadline = this.#host.now() + time;
  }

  #resume(): void {
    this.#waiting = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
    if (this.#stream.isPaused()) this.#stream.resume();
    this.#pump();
  }

  #overdue(): void {
    if (this.#waiting !== 'answer') {
      this.destroy();
      return;
    }
    this.#application.giveUp();
    this.#answered(this.#turn, this.#session.failed);
  }

  #flush(): void {
    const output = this.#session.takeOutput();
    if (this.#session.isTurned === true && !this.#ended && !this.#closing) {
      this.#handOver(output);
      return;
    }
    if (output !== '' && !this.#stream.write(output) && this.#waiting === undefined) {
      this.#wait('drain', Number.POSITIVE_INFINITY);
      this.#stream.pause();
    }
    if (this.#session.isOver) this.#hangUp();
  }

  #handOver(lastWord: string): void {
    this.#turn += 1;
    this.#turned = true;
    this.#closing = true;
    this.#waiting = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
    handOver(this.#stream, {
      lastWord,
      take: (stream) => (this.#application.turned === undefined ? stream.destroy() : this.#application.turned(stream)),
      closed: (stream) => this.closed(stream),
    });
  }

  /** Closes our half, and lets the client take the last reply before the rest goes. */
  #hangUp(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#turn += 1;
    this.#waiting = undefined;
    this.#deadline = this.#host.now() + lingerTime;
    this.#stream.end();
    this.#stream.resume();
  }

  /** All that the client sent has been answered, and no more comes. */
  #finish(): void {
    this.#closing = true;
    this.#deadline = this.#host.now() + lingerTime;
    this.#stream.end();
  }

  /** Whatever was read before is not read inside TLS (RFC 3207 §4.2). */
  #shakeHands(): void {
    const { tls } = this.#host;
    if (tls === undefined) {
      this.destroy();
      return;
    }
    disown(this.#stream);
    this.#stream = shakeHands(this.#stream, {
      tls,
      asksForCertificate: this.#asksForCertificate,
      secured: (state) => {
        this.#session.secured(state, this.#host.now());
        this.#resume();
      },
    });
    own(this.#stream, this);
    this.#wait('handshake', handshakeTime);
  }
}
