import type { Reply } from '@posthorn/smtp/reply/reply';

/** What a filter found about a client or a sender. */
export interface Finding {
  /** The filter, such as `reverse-dns` or `dnsbl zen.example`. */
  readonly filter: string;
  /** What it counts; 0 for what is worth a note alone. */
  readonly score: number;
  /** What was found, in a few words for the log. */
  readonly text: string;
  /** The refusal that follows whatever else was found. */
  readonly reply?: Reply;
}

/** A finding on one line, such as `reverse-dns: no name (2)`. */
export function formatFinding({ filter, score, text }: Finding): string {
  return `${filter}: ${text} (${score})`;
}
