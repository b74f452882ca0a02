/** What a feedback report tells about one message (RFC 5965 §3). */
export interface FeedbackReport {
  /** In lower case: `abuse`, `fraud`, `virus`, `other`, `not-spam`, `auth-failure`, or a word of a later time. */
  readonly feedbackType: string;
  /** Name and version of the program that reports, as `name/version`. */
  readonly userAgent: string;
  readonly originalEnvelopeId?: string;
  /** The reverse-path without brackets, empty for the null path. */
  readonly originalMailFrom?: string;
  /** Milliseconds since the epoch; a report keeps seconds. */
  readonly arrivalDate?: number;
  /** The name of the host that reports. */
  readonly reportingMta?: string;
  /** The IP address that the message came from. */
  readonly sourceIp?: string;
  /** How many incidents it stands for; absent: one. */
  readonly incidents?: number;
  readonly authenticationResults: readonly string[];
  /** Forward-paths without brackets. */
  readonly originalRcptTo: readonly string[];
  readonly reportedDomains: readonly string[];
  readonly reportedUris: readonly string[];
  /** Fields of extensions in their order, such as `Auth-Failure` (RFC 6591 §3.2, RFC 6430 §2). */
  readonly extensions: readonly { readonly name: string; readonly value: string }[];
}
