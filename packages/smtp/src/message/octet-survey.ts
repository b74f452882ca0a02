import { isAscii } from 'node:buffer';

const cr = 0x0d;
const lf = 0x0a;

/** Octets of a line without its CRLF (RFC 5322 §2.1.1). */
export const longestLine = 998;

/** What octets need from a way to pass it unchanged, found piece by piece (RFC 2045 §2.7, §2.8, §2.9). */
export class OctetSurvey {
  #eightBit = false;
  #nul = false;
  #longLine = false;
  #bareLineEnd = false;
  #column = 0;
  #endsInCr = false;

  write(octets: Buffer): void {
    if (octets.length === 0) return;
    this.#eightBit ||= !isAscii(octets);
    this.#nul ||= octets.includes(0);
    this.#surveyLines(octets);
  }

  /** Octets beyond 127. */
  get eightBit(): boolean {
    return this.#eightBit;
  }

  get nul(): boolean {
    return this.#nul;
  }

  /** A line that has more than 998 octets. */
  get longLine(): boolean {
    return this.#longLine;
  }

  /** A CR or LF that is no part of a CRLF. */
  get bareLineEnd(): boolean {
    return this.#bareLineEnd || this.#endsInCr;
  }

  /** No text: only BINARYMIME or an encoding carries it (RFC 3030 §3). */
  get binary(): boolean {
    return this.nul || this.bareLineEnd || this.longLine;
  }

  #surveyLines(octets: Buffer): void {
    let start = 0;
    if (this.#endsInCr && octets[0] !== lf) {
      this.#bareLineEnd = true;
      this.#measure(1);
    }
    let afterCr = this.#endsInCr;
    for (let end = octets.indexOf(lf); end >= 0; end = octets.indexOf(lf, start)) {
      const hasCr = end > start ? octets[end - 1] === cr : afterCr;
      // Once one is found there is nothing more to look for.
      if (!this.#bareLineEnd) this.#bareLineEnd = !hasCr || (end > start && octets.indexOf(cr, start) !== end - 1);
      this.#measure(end - start - (hasCr && end > start ? 1 : 0));
      this.#column = 0;
      start = end + 1;
      afterCr = false;
    }
    this.#endsInCr = octets[octets.length - 1] === cr;
    const tail = octets.length - (this.#endsInCr ? 1 : 0);
    if (!this.#bareLineEnd && start < tail) this.#bareLineEnd = octets.subarray(start, tail).includes(cr);
    this.#measure(Math.max(0, tail - start));
  }

  #measure(octets: number): void {
    this.#column += octets;
    if (this.#column > longestLine) this.#longLine = true;
  }
}

/** Surveys octets that are all at hand. */
export function surveyOctets(octets: Buffer): OctetSurvey {
  const survey = new OctetSurvey();
  survey.write(octets);
  return survey;
}
