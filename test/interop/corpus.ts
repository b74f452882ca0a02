/** Messages that break what handles bytes carelessly; each has CRLF line ends and the fields that peers would add. */
export interface Sample {
  readonly name: string;
  readonly text: Buffer;
}

function message(name: string, body: string | Buffer): Sample {
  const header = [
    'From: Ann <ann@example.com>',
    'To: bob@example.org',
    `Subject: ${name}`,
    'Date: Sat, 21 Nov 2026 10:00:00 +0000',
    `Message-ID: <${name.replaceAll(' ', '-')}@example.com>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ];
  return { name, text: Buffer.concat([Buffer.from(`${header.join('\r\n')}\r\n\r\n`), Buffer.from(body as string)]) };
}

/** The samples that every way through every peer must keep byte for byte. */
export const samples: readonly Sample[] = [
  message('eight bit', 'Grüße, Καλημέρα, 早安 ✓\r\n'),
  message('long lines', `${'x'.repeat(998)}\r\n${'y'.repeat(998)}\r\n`),
  message('lone dots', '.\r\n..\r\n.x\r\nx.\r\n\r\n.\r\n'),
  message('empty body', ''),
];

/** 50 MB of lines. */
export function largeSample(): Sample {
  const line = Buffer.from(`${'0123456789abcdef'.repeat(4)}.....\r\n`);
  return message('large', Buffer.alloc(50_000_000 - (50_000_000 % line.length), line));
}

/** The text without what hops put on top: Received, Return-Path, Delivered-To, Original-Recipient, X- fields and their folded lines. */
export function withoutTrace(text: Buffer): Buffer {
  let at = 0;
  for (;;) {
    const line = text.toString('latin1', at, at + 80);
    if (
      !/^(?:received|return-path|delivered-to|original-recipient|x-[a-z-]+|envelope-to|delivery-date):|^[ \t]/i.test(
        line,
      )
    )
      break;
    at = text.indexOf('\n', at) + 1;
  }
  return text.subarray(at);
}
