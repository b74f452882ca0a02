import { networkMatcher } from '@posthorn/smtp/address/network';
import type { Found, Lookups } from './lookups.ts';
import { expandMacros, type MacroString, parseMacroString } from './spf-macro.ts';
import { type Directive, isSpfRecord, type Mechanism, parseSpfRecord, type SpfRecord } from './spf-record.ts';
import { SpfValues } from './spf-values.ts';

/** What a policy says of a client (RFC 7208 §2.6). */
export type SpfResult = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror';

/** Whose right to send is asked for. */
export interface SpfQuestion {
  /** The address of the client. */
  readonly client: string;
  /** The domain of the identity: of MAIL FROM, or the name in HELO. */
  readonly domain: string;
  /** The local-part of MAIL FROM; empty: `postmaster` stands for it (RFC 7208 §4.3). */
  readonly localPart: string;
  /** The name in HELO or EHLO. */
  readonly hello: string;
  /** The name of this host. */
  readonly receiver: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What was found. */
export interface SpfAnswer {
  readonly result: SpfResult;
  /** What the domain tells those whom it fails; nobody vouches for it (RFC 7208 §6.2). */
  readonly explanation?: string;
  /** Why it is an error, for the log. */
  readonly reason?: string;
}

/** Terms of a check that look something up (RFC 7208 §4.6.4). */
const mostTerms = 10;
/** Look-ups of a check that find nothing (RFC 7208 §4.6.4). */
const mostVoids = 2;
/** Names of one mx or ptr term (RFC 7208 §4.6.4). */
const mostNames = 10;

class SpfError extends Error {
  readonly result: 'temperror' | 'permerror';

  constructor(result: 'temperror' | 'permerror', reason: string) {
    super(reason);
    this.result = result;
  }
}

/** Asks the policy of a domain whether a client may send for it (RFC 7208 §4). Rejects only when a look-up does. */
export async function checkSpf(question: SpfQuestion, lookups: Lookups): Promise<SpfAnswer> {
  const domain = comparable(question.domain);
  if (domain === undefined) return { result: 'none' };
  const client = question.client
    .replace(/^::ffff:(?=\d+\.)/i, '')
    .replace(/%.*$/s, '')
    .toLowerCase();
  try {
    return await new SpfCheck({ ...question, client }, lookups).ask(domain, true);
  } catch (error) {
    if (error instanceof SpfError) return { result: error.result, reason: error.message };
    throw error;
  }
}

/** A name of several labels that DNS can hold; undefined for anything else, whose result is none (RFC 7208 §4.3). */
function comparable(domain: string): string | undefined {
  const name = (domain.endsWith('.') ? domain.slice(0, -1) : domain).toLowerCase();
  return isName(name) && name.includes('.') ? name : undefined;
}

function isName(name: string): boolean {
  return name.length <= 253 && !name.startsWith('[') && name.split('.').every((label) => /^[^.]{1,63}$/.test(label));
}

/** One check: the policies that it goes through share their limits. */
class SpfCheck {
  readonly #question: SpfQuestion;
  readonly #lookups: Lookups;
  readonly #family: 4 | 6;
  #terms = 0;
  #voids = 0;

  constructor(question: SpfQuestion, lookups: Lookups) {
    this.#question = question;
    this.#lookups = lookups;
    this.#family = question.client.includes(':') ? 6 : 4;
  }

  /** `explains`: whether a failure is explained; of policies that are included it is not (RFC 7208 §6.2). */
  async ask(domain: string, explains: boolean): Promise<SpfAnswer> {
    const record = await this.#record(domain);
    if (record === undefined) return { result: 'none' };
    const values = new SpfValues(this.#question, domain, () => this.#validated(domain));
    for (const directive of record.directives) {
      if (!(await this.#fits(directive, domain, values))) continue;
      if (directive.result !== 'fail' || !explains || record.explanation === undefined) {
        return { result: directive.result };
      }
      const explanation = await this.#explain(record.explanation, values);
      return { result: 'fail', ...(explanation === undefined ? {} : { explanation }) };
    }
    return record.redirect === undefined ? { result: 'neutral' } : this.#redirect(record.redirect, values, explains);
  }

  async #record(domain: string): Promise<SpfRecord | undefined> {
    const answer = await this.#lookups.txt(domain);
    if (answer.kind === 'failed') throw new SpfError('temperror', `the policy of ${domain} cannot be looked up`);
    const records = answer.kind === 'found' ? answer.records.filter(isSpfRecord) : [];
    const [text, second] = records;
    if (text === undefined) return undefined;
    if (second !== undefined) throw new SpfError('permerror', `${domain} has several policies`);
    const record = parseSpfRecord(text);
    if (record === undefined) throw new SpfError('permerror', `the policy of ${domain} is malformed`);
    return record;
  }

  /** Where nothing fits, the policy of another domain stands in its place (RFC 7208 §6.1). */
  async #redirect(redirect: MacroString, values: SpfValues, explains: boolean): Promise<SpfAnswer> {
    this.#countTerm();
    const target = await this.#expand(redirect, values);
    const answer = isName(target) ? await this.ask(target, explains) : ({ result: 'none' } as const);
    if (answer.result === 'none') throw new SpfError('permerror', `${target} has no policy`);
    return answer;
  }

  async #fits({ mechanism }: Directive, domain: string, values: SpfValues): Promise<boolean> {
    if (mechanism.kind === 'all') return true;
    if (mechanism.kind === 'ip') {
      const { network } = mechanism;
      return network.family === this.#family && networkMatcher([network])(this.#question.client);
    }
    this.#countTerm();
    const target = mechanism.domain === undefined ? domain : await this.#expand(mechanism.domain, values);
    if (!isName(target)) {
      if (mechanism.kind === 'include') throw new SpfError('permerror', 'an included domain is malformed');
      return false;
    }
    switch (mechanism.kind) {
      case 'include':
        return this.#includes(target);
      case 'exists':
        return (await this.#find(this.#lookups.addresses(target, 4))).length > 0;
      case 'a':
        return this.#hasAddress(target, mechanism);
      case 'mx':
        return this.#isExchanger(target, mechanism);
      case 'ptr':
        return (await this.#names()).some((name) => isWithin(name, target));
    }
  }

  async #includes(target: string): Promise<boolean> {
    const { result } = await this.ask(target, false);
    if (result === 'none') throw new SpfError('permerror', `${target}, which is included, has no policy`);
    return result === 'pass';
  }

  async #isExchanger(target: string, mechanism: Mechanism & { kind: 'a' | 'mx' }): Promise<boolean> {
    const exchangers = await this.#find(this.#lookups.mx(target));
    if (exchangers.length > mostNames) throw new SpfError('permerror', `${target} has too many mail exchangers`);
    for (const { exchange } of exchangers) {
      if (isName(exchange) && (await this.#hasAddress(exchange, mechanism))) return true;
    }
    return false;
  }

  async #hasAddress(host: string, { prefix4, prefix6 }: Mechanism & { kind: 'a' | 'mx' }): Promise<boolean> {
    const family = this.#family;
    const prefix = family === 4 ? prefix4 : prefix6;
    const addresses = await this.#find(this.#lookups.addresses(host, family));
    return networkMatcher(addresses.map((address) => ({ family, address, prefix })))(this.#question.client);
  }

  /** The names of the client that lead back to it; what cannot be looked up fits nothing (RFC 7208 §5.5). */
  async #names(): Promise<string[]> {
    const { client } = this.#question;
    const answer = await this.#lookups.reverse(client);
    if (answer.kind === 'failed') return [];
    this.#countVoid(answer);
    const names = answer.kind === 'found' ? answer.records.slice(0, mostNames).map((name) => name.toLowerCase()) : [];
    const proven: string[] = [];
    for (const name of names) {
      const addresses = await this.#lookups.addresses(name, this.#family);
      if (addresses.kind !== 'found') continue;
      const family = this.#family;
      const prefix = family === 4 ? 32 : 128;
      const isBack = networkMatcher(addresses.records.map((address) => ({ family, address, prefix })));
      if (isBack(client)) proven.push(name);
    }
    return proven;
  }

  /** The value of the macro p: the name that is the domain itself, else one below it, else any (RFC 7208 §7.3). */
  async #validated(domain: string): Promise<string> {
    const names = await this.#names();
    return (
      names.find((name) => name === domain) ?? names.find((name) => isWithin(name, domain)) ?? names[0] ?? 'unknown'
    );
  }

  async #find<T>(asked: Promise<Found<T>>): Promise<readonly T[]> {
    const answer = await asked;
    if (answer.kind === 'failed') throw new SpfError('temperror', answer.text);
    this.#countVoid(answer);
    return answer.kind === 'found' ? answer.records : [];
  }

  #countTerm(): void {
    this.#terms += 1;
    if (this.#terms > mostTerms) throw new SpfError('permerror', 'the policy asks for too many look-ups');
  }

  #countVoid({ kind }: Found<unknown>): void {
    if (kind === 'found') return;
    this.#voids += 1;
    if (this.#voids > mostVoids) throw new SpfError('permerror', 'too many look-ups of the policy find nothing');
  }

  /** A name that is too long loses labels at its left (RFC 7208 §7.3). */
  async #expand(macros: MacroString, values: SpfValues): Promise<string> {
    const text = await expandMacros(macros, (letter) => values.of(letter));
    let name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
    while (name.length > 253 && name.includes('.')) name = name.slice(name.indexOf('.') + 1);
    return name;
  }

  /** Undefined where there is none, or anything is wrong with it (RFC 7208 §6.2). */
  async #explain(macros: MacroString, values: SpfValues): Promise<string | undefined> {
    const name = await this.#expand(macros, values);
    if (!isName(name)) return undefined;
    const answer = await this.#lookups.txt(name);
    const [text, second] = answer.kind === 'found' ? answer.records : [];
    const parts = text === undefined || second !== undefined ? undefined : parseMacroString(text, 'explanation');
    return parts && expandMacros(parts, (letter) => values.of(letter));
  }
}

function isWithin(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}
