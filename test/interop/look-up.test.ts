import { openConnection } from '@posthorn/smtp/client/open-connection';
import { surveyHost } from '@posthorn/smtp/client/survey-host';
import { describe, expect, it } from 'vitest';
import { startTestAgent, talk } from '../../packages/posthorn/test/mta/fixture.ts';
import { startExim } from './peers/exim.ts';
import { hasPeers } from './peers/peer.ts';
import { startPostfix } from './peers/postfix.ts';
import { runProgram } from './run-program.ts';

const here = { networks: ['127.0.0.1'] };

/** A Posthorn that tells who its people are. */
function startOpen(disclosure: object = { verify: here, expand: here }) {
  return startTestAgent((folder) => ({
    disclosure,
    domains: {
      'example.org': {
        deliver: `maildir:${folder}/mail/{local}`,
        mailboxes: ['ann', 'bob'],
        mailboxSettings: { ann: { fullName: 'Ann Smith' } },
        aliases: { team: ['ann', 'bob'] },
      },
    },
  }));
}

/** What curl makes of a look-up; it writes the replies. */
function curl(port: number, verb: 'VRFY' | 'EXPN', name: string): Promise<string> {
  const args = ['-s', '-v', '--max-time', '20', `smtp://127.0.0.1:${port}/x.test`, '-X', verb, '--mail-rcpt', name];
  return runProgram('curl', args);
}

function connectTo(port: number) {
  return openConnection({ host: '127.0.0.1', port, tls: 'none', name: 'client.example' });
}

describe('Posthorn is asked who somebody is', () => {
  it.skipIf(!hasPeers('curl'))('CMD-VRFY-1 CMD-EXPN-1 by curl', async () => {
    await using test = await startOpen();
    expect(await curl(test.port, 'VRFY', 'ann')).toContain('250 2.1.5 Ann Smith <ann@example.org>');
    const members = (await curl(test.port, 'EXPN', 'team')).trim().split(/\r?\n/);
    expect(members).toEqual(['250-2.1.5 Ann Smith <ann@example.org>', '250 2.1.5 <bob@example.org>']);
    await expect(curl(test.port, 'VRFY', 'nobody')).rejects.toThrow('550');
  });

  it.skipIf(!hasPeers('perl'))('CMD-VRFY-1 CMD-VRFY-2 CMD-EXPN-1 by the SMTP client of Perl', async () => {
    const ask = async (port: number) => {
      const script = `use Net::SMTP; my $smtp = Net::SMTP->new("127.0.0.1", Port => ${port}, Hello => "x.test") or die;
        for (["verify", "ann"], ["verify", "nobody"], ["expand", "team"], ["expand", "nobody"]) {
          my ($verb, $name) = @$_; my @found = $smtp->$verb($name); print $smtp->code, " ";
        }
        $smtp->quit;`;
      return (await runProgram('perl', ['-e', script])).trim();
    };
    await using open = await startOpen();
    expect(await ask(open.port)).toBe('250 550 250 550');
    await using closed = await startOpen({});
    expect(await ask(closed.port)).toBe('252 252 502 502');
  });

  it('CMD-EXPN-3 CMD-VRFY-1 in an open transaction, which stays as it is', async () => {
    await using test = await startOpen();
    const replies = await talk(test.port, [
      { send: 'EHLO x.test\r\nMAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.org>\r\n', replies: 3 },
      { send: 'VRFY bob\r\n', replies: 1 },
      { send: 'EXPN team\r\nHELP\r\n', replies: 2 },
      { send: 'DATA\r\n', replies: 1 },
      { send: 'Subject: x\r\n\r\nx\r\n.\r\n', replies: 1 },
    ]);
    expect(replies.map((line) => line.slice(0, 3))).toEqual([
      '220',
      '250',
      '250',
      '250',
      '250',
      '250',
      '214',
      '354',
      '250',
    ]);
  });
});

/** What the probe finds not to be as it should. */
async function faultsOf(port: number, domain: string): Promise<string[]> {
  const { findings } = await surveyHost({ host: '127.0.0.1', port, domain, nobody: 'nobody' });
  expect(findings).toHaveLength(8);
  return findings.filter(({ answer }) => answer !== 'yes').map(({ question }) => question);
}

describe('Posthorn asks who somebody is', () => {
  it.skipIf(!hasPeers('postfix'))('of Postfix, which tells mailboxes from unknown ones', async () => {
    await using postfix = await startPostfix({ mailboxes: ['bob@postfix.example', 'postmaster@postfix.example'] });
    await using connection = await connectTo(postfix.port);
    expect(await connection.verify('bob@postfix.example')).toMatchObject({ code: 252, status: '2.0.0' });
    expect(await connection.verify('nobody@postfix.example')).toMatchObject({ code: 550, status: '5.1.1' });
    expect((await connection.expand('team')).code).toBeGreaterThanOrEqual(500);
    expect(await faultsOf(postfix.port, 'postfix.example')).toEqual([]);
  });

  it.skipIf(!hasPeers('exim4'))('of Exim, which names the members of a list', async () => {
    const routers = `aliases:
  driver = redirect
  domains = exim.example
  data = \${if eq{$local_part}{team}{ann@far.example, bob@far.example}fail}
unknown:
  driver = redirect
  domains = exim.example
  allow_fail
  data = :fail: no such user
`;
    const settings = 'acl_smtp_vrfy = accept_all\nacl_smtp_expn = accept_all\n';
    await using exim = await startExim({ relayTo: 1, settings, routers });
    await using connection = await connectTo(exim.port);
    expect((await connection.verify('team@exim.example')).code).toBe(250);
    expect((await connection.verify('nobody@exim.example')).code).toBe(550);
    const { code, lines } = await connection.expand('team');
    expect({ code, lines: lines.map((line) => line.match(/\w+@far\.example/)?.[0]).sort() }).toEqual({
      code: 250,
      lines: ['ann@far.example', 'bob@far.example'],
    });
    // Its rule for RCPT lets everybody in.
    expect(await faultsOf(exim.port, 'exim.example')).toEqual(['RCPT for an unknown user is refused']);
  });
});
