import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { introspect } from '../../src/logins/introspection.ts';

interface Asked {
  readonly authorization: string | undefined;
  readonly body: URLSearchParams;
}

/** A service that answers as it is told, and keeps what it was asked. */
async function start(answer: (response: ServerResponse, asked: Asked) => void) {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += String(piece);
    });
    request.on('end', () => {
      const one = { authorization: request.headers.authorization, body: new URLSearchParams(body) };
      asked.push(one);
      answer(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, introspection: `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect` };
}

const json = (value: unknown) => (response: ServerResponse) => void response.end(JSON.stringify(value));
const usual = { loginField: 'username', timeout: 5000 };

describe('the introspection of a token', () => {
  it('CMD-AUTH-13 gives the login of a good one, and says who asks', async () => {
    const { asked, introspection } = await start(json({ active: true, username: 'ann', scope: 'mail smtp' }));
    const options = { ...usual, introspection, clientId: 'post:horn', clientSecret: 'a b', scope: 'smtp' };
    expect(await introspect('token-1', options)).toBe('ann');
    expect(asked[0]?.body.get('token')).toBe('token-1');
    expect(Buffer.from(asked[0]?.authorization?.slice(6) ?? '', 'base64').toString()).toBe('post%3Ahorn:a+b');
    expect(await introspect('token-1', { ...usual, introspection, scope: 'other' })).toBeUndefined();
    expect(await introspect('token-1', { ...usual, introspection, loginField: 'email' })).toBeUndefined();
  });

  it.each([
    [{ active: false, username: 'ann' }],
    [{ active: 'true', username: 'ann' }],
    [{}],
    [{ active: true, username: 'a b' }],
    [{ active: true, username: 7 }],
  ])('CMD-AUTH-13 takes %j for no', async (answer) => {
    const { introspection } = await start(json(answer));
    expect(await introspect('x', { ...usual, introspection })).toBeUndefined();
  });

  it.each([
    ['refused', (response: ServerResponse) => void response.writeHead(500).end()],
    ['refused', (response: ServerResponse) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['refused', (response: ServerResponse) => void response.destroy()],
    ['protocol', (response: ServerResponse) => void response.end('<html>')],
    ['protocol', (response: ServerResponse) => void response.end('null')],
    ['protocol', (response: ServerResponse) => void response.end('x'.repeat(100_000))],
    ['timeout', () => {}],
  ])(
    'CMD-AUTH-6 CMD-AUTH-13 cannot tell (%s) when the service fails, and shows nothing of the token',
    async (kind, answer) => {
      const { introspection } = await start(answer);
      const failure: Error = await introspect('secret-token', { ...usual, timeout: 300, introspection }).then(
        () => {
          throw new Error('it was told');
        },
        (error) => error,
      );
      expect(failure).toMatchObject({ name: 'Failure', kind });
      expect(JSON.stringify([failure.message, failure.stack, failure.cause])).not.toContain('secret-token');
    },
  );
});
