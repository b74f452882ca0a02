import { describe, expect, it } from 'vitest';
import { cutLaw } from '../laws/cut-law.ts';
import { MemoryServer } from '../laws/memory-server.ts';
import { type RuleChange, testRules } from '../laws/test-rules.ts';

function observe(change: RuleChange): (pieces: Buffer[]) => { asked: string[]; said: string; state: string } {
  const rules = testRules(change);
  return (pieces) => {
    const server = new MemoryServer(rules);
    for (const piece of pieces) server.send(piece);
    return { asked: server.application.asked, said: server.transcript, state: server.session.state };
  };
}

const hello = 'EHLO client.test\r\n';
const envelope = 'MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n';

describe('the cut law', () => {
  it('CMD-DATA-3 CMD-DATA-4 EX-12 holds for dots, empty lines and an empty text', () => {
    const text = '.\r\n..\r\n..x\r\nx.\r\n\r\n.\r\n';
    const told = cutLaw(`${hello}${envelope}DATA\r\n.${text}${envelope}DATA\r\n.\r\nQUIT\r\n`, observe({}));
    expect(told.asked.filter((asked) => asked.startsWith('text'))).toEqual(['text .\r\n.\r\n.x\r\nx.\r\n\r\n']);
    expect(told.state).toBe('over');
  });

  it('CMD-BDAT-1 CMD-BDAT-3 CMD-BDAT-4 holds for chunks, refused ones and their commands', () => {
    const chunks = `BDAT 5\r\na\r\n.\r\r\nBDAT 3 LAST\r\n\n.\rBDAT 2\r\nxyRSET\r\n`;
    cutLaw(`${hello}${envelope}${chunks}${envelope}BDAT 3\r\na\rbBDAT 1 LAST\r\nxRSET\r\nNOOP\r\n`, observe({}));
  });

  it('GEN-3 GEN-4 GEN-20 holds for line ends that are none', () => {
    const text = 'a\nb\r\n\r.\r\n\n.\n\r\n.\n.\r\r\n.\r\n';
    cutLaw(`NOOP\nNOOP\r\n${hello}NO\rOP\r\n${envelope}DATA\r\n${text}NOOP\r\n`, observe({}));
    const mended = cutLaw(`${hello}${envelope}DATA\r\n${text}NOOP\r\n`, observe({ bareLineEnds: 'normalize' }));
    expect(mended.asked).toContain('text a\r\nb\r\n\r\n.\r\n\r\n.\r\n\r\n\r\n.\r\n\r\n');
  });

  it('CMD-AUTH-2 CMD-AUTH-20 holds for authentication exchanges', () => {
    const auth = 'AUTH LOGIN\r\nYWxpY2U=\r\nc2VjcmV0\r\n';
    cutLaw(`${hello}AUTH LOGIN\r\n*\r\nAUTH PLAIN\r\n?\r\n${auth}${envelope}`, observe({ cleartextAuth: true }));
  });

  it('GEN-11 CMD-BDAT-6 holds for lines too long and numbers too large', () => {
    const line = `NOOP ${'x'.repeat(300)}`;
    cutLaw(`${line}\r\n${hello}${envelope}BDAT 99999999999999999999\r\nNOOP\r\n`, observe({}));
  });
});
