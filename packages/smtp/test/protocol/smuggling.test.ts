import { describe, expect, it } from 'vitest';
import { MemoryServer } from '../laws/memory-server.ts';
import { testRules } from '../laws/test-rules.ts';

/** Octets that some mail server once took for the end of a text, and that are not (CVE-2023-51764 to 51766). */
const falseEnds = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\r',
  '\r.\n',
  '\n.\r',
  '\n\r.\r\n',
  '\r\r\n.\r\r\n',
  '\r\n.\r\r\n',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\n .\r\n',
  '\r\n. \r\n',
  '\n\n.\n\n',
  '\r\n\n.\n\r\n',
  '\x85.\x85',
];

const smuggled = 'MAIL FROM:<admin@x.test>\r\nRCPT TO:<victim@y.test>\r\nDATA\r\nSubject: smuggled\r\n';
const real = '\r\n.\r\n';

describe.each(['reject', 'normalize'] as const)('with bare line ends to %s', (bareLineEnds) => {
  it.each(falseEnds.map((end) => [JSON.stringify(end), end] as const))(
    'SEC-SMUG-1 GEN-2 GEN-1 takes %s in DATA for no end of the text',
    (_, end) => {
      const server = new MemoryServer(testRules({ bareLineEnds }));
      server.say('EHLO client.test', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@y.test>', 'DATA');
      server.send(Buffer.from(`Subject: hi\r\n\r\nhi${end}${smuggled}`, 'latin1'));
      expect(server.transcript.endsWith('<CR><LF>.<CR><LF>\r\n')).toBe(true);
      server.send(Buffer.from(real));
      expect(server.application.asked.filter((asked) => asked.includes('"kind":"mail"'))).toHaveLength(1);
      expect(server.application.asked.join()).not.toContain('victim@y.test"');
      for (const { text } of server.application.kept) expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
      expect(server.say('NOOP')).toBe('250 2.0.0 Ok\r\n');
    },
  );

  it.each([...falseEnds, real].map((end) => [JSON.stringify(end), end] as const))(
    'SEC-SMUG-1 CMD-BDAT-2 CMD-BDAT-10 takes %s in BDAT for no end of the text',
    (_, end) => {
      const server = new MemoryServer(testRules({ bareLineEnds }));
      const text = `Subject: hi\r\n\r\nhi${end}${smuggled}`;
      server.say('EHLO client.test', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@y.test>');
      server.send(Buffer.from(`BDAT ${text.length} LAST\r\n${text}`, 'latin1'));
      expect(server.application.asked.filter((asked) => asked.includes('"kind":"mail"'))).toHaveLength(1);
      for (const kept of server.application.kept) expect(kept.text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
      expect(server.say('NOOP')).toBe('250 2.0.0 Ok\r\n');
    },
  );
});
