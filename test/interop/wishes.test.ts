import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../../packages/posthorn/test/mta/fixture.ts';
import { reportIn } from './network.ts';
import { hasPeers } from './peers/peer.ts';
import { startPostfix } from './peers/postfix.ts';
import { runProgram } from './run-program.ts';

const text = 'From: ann@example.org\r\nTo: bob@example.org\r\nSubject: hello\r\n\r\nthe body\r\n';

/** What came back to ann: who reports is always Posthorn, whose mailbox bob has. */
async function reportOf(test: TestAgent) {
  const { report, original } = await reportIn(test, 'ann');
  expect(report.reportingMta).toBe('mx.example.org');
  expect(original?.kind).toBe('headers');
  const { envelopeId, recipients } = report;
  return { envelopeId, recipients: recipients.map(({ action, originalRecipient }) => [action, originalRecipient]) };
}

describe('a report is asked for', () => {
  it('EXT-DSN-S1 DSN-10 by nodemailer', async () => {
    await using test = await startTestAgent();
    const transport = createTransport({ host: '127.0.0.1', port: test.port, ignoreTLS: true });
    await transport.sendMail({
      envelope: { from: 'ann@example.org', to: 'bob@example.org' },
      raw: text,
      dsn: { id: 'id+7', return: 'headers', notify: ['success', 'delay'], recipient: 'boss@example.org' },
    });
    expect(await reportOf(test)).toEqual({
      envelopeId: 'id+7',
      recipients: [['delivered', 'rfc822;boss@example.org']],
    });
  });

  it.skipIf(!hasPeers('perl'))('EXT-DSN-S1 DSN-10 by the SMTP client of Perl', async () => {
    await using test = await startTestAgent();
    const script = `use Net::SMTP; my $smtp = Net::SMTP->new("127.0.0.1", Port => ${test.port}) or die;
      $smtp->mail('ann@example.org', Return => 'HDRS', Envelope => 'two words+=') or die $smtp->message;
      $smtp->recipient('bob@example.org', { Notify => ['SUCCESS', 'FAILURE'], ORcpt => 'rfc822;boss+2Bx@example.org' })
        or die $smtp->message;
      $smtp->data("Subject: hello\\n\\nthe body\\n") or die $smtp->message;
      $smtp->quit;`;
    await runProgram('perl', ['-e', script]);
    expect(await reportOf(test)).toEqual({
      envelopeId: 'two words+=',
      recipients: [['delivered', 'rfc822;boss+x@example.org']],
    });
  });

  it.skipIf(!hasPeers('swaks'))('EXT-DSN-S1 DSN-10 by swaks', async () => {
    await using test = await startTestAgent();
    // It has no words for them, and writes a bracket behind each address; at their ends that is a character like others.
    const from = 'ann@example.org> RET=HDRS ENVID=swaks-1';
    const to = 'bob@example.org> NOTIFY=SUCCESS ORCPT=rfc822;boss@example.org';
    await runProgram('swaks', ['--server', `127.0.0.1:${test.port}`, '--ehlo', 'x.test', '--from', from, '--to', to]);
    expect(await reportOf(test)).toEqual({
      envelopeId: 'swaks-1>',
      recipients: [['delivered', 'rfc822;boss@example.org>']],
    });
  });

  it.skipIf(!hasPeers('postfix', 'sendmail'))('EXT-DSN-S1 DSN-10 by the sendmail command of Postfix', async () => {
    await using test = await startTestAgent();
    await using postfix = await startPostfix({ relayTo: test.port });
    const args = ['-N', 'success', '-V', 'by hand', '-R', 'hdrs'];
    postfix.send({ from: 'ann@example.org', to: ['bob@example.org'], text: Buffer.from(text), args });
    // Postfix says itself whom it was for at first.
    expect(await reportOf(test)).toEqual({
      envelopeId: 'by hand',
      recipients: [['delivered', 'rfc822;bob@example.org']],
    });
  });
});
