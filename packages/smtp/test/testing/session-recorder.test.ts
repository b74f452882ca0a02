import { SessionRecorder } from '@posthorn/smtp/testing/session-recorder';
import { formatTranscript, Transcript } from '@posthorn/smtp/testing/transcript';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

type Turn = readonly [by: 'client' | 'server', text: string];

/** What is written down of a session whose client's octets come in pieces of these sizes. */
function record(turns: readonly Turn[], sizes: readonly number[]): string {
  const transcript = new Transcript();
  const recorder = new SessionRecorder(transcript, 1);
  let count = 0;
  for (const [by, text] of turns) {
    if (by === 'server') recorder.server(text);
    else {
      const octets = Buffer.from(text);
      for (let at = 0; at < octets.length; ) {
        const size = sizes[count++ % sizes.length] as number;
        recorder.client(octets.subarray(at, at + size));
        at += size;
      }
    }
  }
  recorder.end();
  return formatTranscript(transcript.lines(1));
}

const session: readonly Turn[] = [
  ['client', 'AUTH PLAIN AGEAYg==\r\n'],
  ['server', '235 2.7.0 ok\r\n'],
  ['client', 'auth login\r\n'],
  ['server', '334 VXNlcg==\r\n'],
  ['client', 'c2VjcmV0\r\n'],
  ['server', '535 5.7.8 no\r\n'],
  ['client', 'MAIL FROM:<jürgen@a.test>\r\nBDAT 5\r\na\r\n.\r'],
  ['client', 'BDAT 0 LAST\r\nDATA\r\n'],
  ['server', '250-one\r\n250 two\r\n354 go\r\n'],
  ['client', 'Subject: x\r\n\r\n..\r\n.\r\nNOOP\r\nDATA\r\n'],
  ['server', '354 go\r\n'],
  ['client', '.\r\nDATA\r\n'],
  ['server', '354 go\r\n'],
  ['client', 'half a te'],
];

describe('a session that is written down', () => {
  it('is the same wherever the octets are cut: lines, no secrets, of texts the number of octets', () => {
    const whole = [
      'C: AUTH PLAIN …',
      'S: 235 2.7.0 ok',
      'C: auth login',
      'S: 334 VXNlcg==',
      'C: …',
      'S: 535 5.7.8 no',
      'C: MAIL FROM:<jürgen@a.test>',
      'C: BDAT 5',
      '*  5 octets of text',
      'C: BDAT 0 LAST',
      'C: DATA',
      'S: 250-one',
      'S: 250 two',
      'S: 354 go',
      '*  18 octets of text, then the dot',
      'C: NOOP',
      'C: DATA',
      'S: 354 go',
      '*  0 octets of text, then the dot',
      'C: DATA',
      'S: 354 go',
      '*  9 octets of a text, not to its end',
      '*  closed',
    ].join('\n');
    expect(record(session, [10_000])).toBe(whole);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        expect(record(session, sizes)).toBe(whole);
      }),
    );
  });

  it('keeps the last lines of many, and of a long line its beginning', () => {
    const transcript = new Transcript();
    const recorder = new SessionRecorder(transcript, 1);
    recorder.client(Buffer.from(`${'x'.repeat(100_000)}\r\n`));
    expect(transcript.lines()[0]?.text).toHaveLength(1000);
    for (let count = 0; count < 50_000; count += 1) recorder.client(Buffer.from(`NOOP ${count}\r\n`));
    expect(transcript.lines().length).toBeLessThanOrEqual(40_000);
    expect(transcript.lines().at(-1)?.text).toBe('NOOP 49999');
    transcript.clear();
    expect(transcript.lines()).toEqual([]);
  });
});
