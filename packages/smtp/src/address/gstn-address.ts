/** One `/keyword=value` behind a number (RFC 3191 §2). */
export interface GstnElement {
  /** As written; its case does not count. */
  readonly keyword: string;
  readonly value: string;
}

/** A number of the telephone network as a local-part: `FAX=+390203/T33S=0123` (RFC 3191 §2). */
export interface GstnAddress {
  /** As written, such as FAX, VOICE or SMS; its case does not count. */
  readonly service: string;
  /** As written: `+` and digits, or for the gateway alone digits, `#`, `*`, A to D, `p` and `w`; `-` and `.` do not count. */
  readonly number: string;
  /** All there are, in their order, those that nobody here knows too. */
  readonly elements: readonly GstnElement[];
}

/** Whom a call is for (RFC 2846 §3.1). */
export interface PersonalName {
  readonly givenName?: string;
  readonly initials?: string;
  readonly surname: string;
}

const service = /^[A-Za-z0-9-]+$/;
const globalPhone = /^\+[-.]*\d[-.\d]*$/;
const phoneString = /^[\d#*A-DPW.-]+$/i;
const digits = /^\d+$/;
const printable = /^[ -~]+$/;

/**
 * Reads the local-part of a number, without its quotes; the slashes that may stand around it are taken away. Undefined when
 * it is none, or an element that has a form of its own is not in it: T33S of digits and for FAX alone, ISUB, POSTD
 * (RFC 3191 §4, RFC 3192 §2, RFC 2846 §2).
 */
export function parseGstnAddress(localPart: string): GstnAddress | undefined {
  const text = localPart.replace(/^\//, '').replace(/\/$/, '');
  const equals = text.indexOf('=');
  const [number, ...rest] = splitElements(text.slice(equals + 1));
  const elements: GstnElement[] = [];
  for (const element of rest) {
    const at = element.indexOf('=');
    elements.push({ keyword: element.slice(0, at), value: element.slice(at + 1) });
  }
  const address = { service: text.slice(0, Math.max(equals, 0)), number: number ?? '', elements };
  return isGstnAddress(address) ? address : undefined;
}

/** Writes a local-part, without the slashes around it and without quotes (RFC 3191 §4). */
export function formatGstnAddress({ service, number, elements }: GstnAddress): string {
  return `${service}=${number}${elements.map(({ keyword, value }) => `/${keyword}=${value}`).join('')}`;
}

/** The value of an element, undefined when the address has none of that keyword (RFC 3191 §2). */
export function gstnElement({ elements }: GstnAddress, keyword: string): string | undefined {
  return elements.find((element) => element.keyword.toUpperCase() === keyword)?.value;
}

/** The number as it is dialled: what stands in it for the eye is left out (RFC 3191 §2.1). */
export function dialledNumber(number: string): string {
  return number.replace(/[-.]/g, '');
}

/** A form that is the same for all ways to write one address: case and separators do not count (RFC 3191 §2). */
export function gstnKey({ service, number, elements }: GstnAddress): string {
  const written = elements.map(({ keyword, value }) => {
    const name = keyword.toUpperCase();
    return { keyword: name, value: name === 'ISUB' || name === 'POSTD' ? dialKey(value) : value };
  });
  return formatGstnAddress({ service: service.toUpperCase(), number: dialKey(number), elements: written });
}

/** Reads the value of ATTN: `[given.][initials.]surname` (RFC 2846 §3.1). */
export function parsePersonalName(value: string): PersonalName {
  const [first = '', second = '', ...rest] = value.split('.');
  if (rest.length > 0 && /^[a-z]+$/i.test(second)) {
    return { givenName: first, initials: second, surname: rest.join('.') };
  }
  const dot = value.indexOf('.');
  return dot < 1 ? { surname: value } : { givenName: first, surname: value.slice(dot + 1) };
}

function dialKey(number: string): string {
  return dialledNumber(number).toUpperCase();
}

/** A slash begins an element only where a keyword and `=` follow; others belong to the value (RFC 2846 §3.1). */
function splitElements(text: string): string[] {
  return text.split(/\/(?=[A-Za-z0-9-]+=)/);
}

function isGstnAddress(address: GstnAddress): boolean {
  const { number, elements } = address;
  if (!service.test(address.service)) return false;
  // A number that the gateway knows by heart may be dialled behind the connection alone (RFC 2846 §5.1).
  const isPhone = number === '' ? gstnElement(address, 'POSTD') !== undefined : isPhoneNumber(number);
  const own = elements.map(({ keyword }) => keyword.toUpperCase()).filter((keyword) => keyword in forms);
  // One call has one subaddress of a kind: several are several recipients (RFC 3191 §4.1).
  if (!isPhone || new Set(own).size < own.length) return false;
  return elements.every(({ keyword, value }) => {
    const isInForm = forms[keyword.toUpperCase()] ?? isPrintable;
    return isPrintable(value) && isInForm(value, address.service.toUpperCase());
  });
}

function isPrintable(value: string): boolean {
  return printable.test(value);
}

function isPhoneNumber(number: string): boolean {
  return globalPhone.test(number) || (phoneString.test(number) && /[^-.]/.test(number));
}

/** Elements whose values a gateway dials. */
const forms: Readonly<Record<string, (value: string, service: string) => boolean>> = {
  T33S: (value, of) => of === 'FAX' && digits.test(value),
  ISUB: (value) => /^[-.]*\d[-.\d]*$/.test(value),
  POSTD: (value) => phoneString.test(value),
};
