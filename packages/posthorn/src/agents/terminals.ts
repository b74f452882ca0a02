import { open } from 'node:fs/promises';
import { endianness } from 'node:os';
import { parseUtmp, utmpLayoutOf } from './parse-utmp.ts';
import { takesMessages, writeTerminal } from './write-terminal.ts';

/** A terminal that its user has announced. */
export interface AnnouncedTerminal {
  /** Shows a text; whether it is shown. Never rejects. */
  show(text: string): Promise<boolean>;
}

/** Where terminals are found. */
export interface TerminalOptions {
  /** The file that says who is logged in: utmp(5). */
  readonly utmp: string;
  /** The mailbox here that an address leads to, in the one form for all ways to write it. */
  readonly mailboxOf: (address: string) => string | undefined;
  /** The user of this host that a mailbox belongs to. */
  readonly userOf: (mailbox: string) => string | undefined;
}

const mostAnnounced = 24;
/** Octets of utmp that are read: some thousands of logins. */
const mostUtmp = 2 ** 20;
/** Milliseconds that a terminal may take for a message. */
const patience = 5_000;
const layout = utmpLayoutOf(process.arch, endianness() === 'LE');

/** The terminals of users: those that are logged in to this host, and those that were announced (RFC 821 §3.4). */
export class Terminals {
  readonly #options: TerminalOptions;
  readonly #announced = new Map<string, Set<AnnouncedTerminal>>();
  #count = 0;

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  /** Announces a terminal for an address; gives what takes it back, or says why it cannot be. */
  announce(address: string, terminal: AnnouncedTerminal): (() => void) | 'no mailbox' | 'too many' {
    const mailbox = this.#options.mailboxOf(address);
    if (mailbox === undefined) return 'no mailbox';
    if (this.#count >= mostAnnounced) return 'too many';
    const terminals = this.#announced.get(mailbox) ?? new Set();
    this.#announced.set(mailbox, terminals.add(terminal));
    this.#count += 1;
    return () => {
      if (terminals.delete(terminal)) this.#count -= 1;
      if (terminals.size === 0) this.#announced.delete(mailbox);
    };
  }

  /** Whether a message for an address would be seen now. */
  async isActive(address: string): Promise<boolean> {
    const mailbox = this.#options.mailboxOf(address);
    if (mailbox === undefined) return false;
    if (this.#announced.has(mailbox)) return true;
    for (const device of await this.#devicesOf(mailbox)) if (await takesMessages(device)) return true;
    return false;
  }

  /** Shows a text on all terminals of an address; whether it is shown on one at least. */
  async show(address: string, text: string): Promise<boolean> {
    const mailbox = this.#options.mailboxOf(address);
    if (mailbox === undefined) return false;
    const announced = [...(this.#announced.get(mailbox) ?? [])].map((terminal) => terminal.show(text));
    const devices = (await this.#devicesOf(mailbox)).map((device) => writeTerminal(device, text, patience));
    return (await Promise.all([...announced, ...devices])).includes(true);
  }

  async #devicesOf(mailbox: string): Promise<string[]> {
    const user = this.#options.userOf(mailbox);
    if (user === undefined) return [];
    const loggedIn = parseUtmp(await readBeginning(this.#options.utmp), layout);
    return loggedIn.filter((each) => each.user === user).map(({ line }) => `/dev/${line}`);
  }
}

/** A host without such a file has nobody who is logged in. */
async function readBeginning(path: string): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return Buffer.alloc(0);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(mostUtmp), 0, mostUtmp, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return Buffer.alloc(0);
  } finally {
    await file.close();
  }
}
