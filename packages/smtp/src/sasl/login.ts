import { parseUtf8 } from '../bytes/utf8.ts';
import type { Mechanism, ServerStep } from './mechanism.ts';

const userPrompt = Buffer.from('Username:', 'latin1');
const passwordPrompt = Buffer.from('Password:', 'latin1');
const malformed: ServerStep = { kind: 'malformed' };

function readText(message: Buffer): string | undefined {
  const text = parseUtf8(message);
  return text === undefined || text === '' || text.includes('\0') ? undefined : text;
}

/** LOGIN: user name and password, each asked for; a user name that comes with the command is taken (draft-murchison-sasl-login-00). */
export const login: Mechanism = {
  name: 'LOGIN',
  revealsPassword: true,
  server() {
    let user: string | undefined;
    function next(message: Buffer): ServerStep {
      const text = readText(message);
      if (text === undefined) return malformed;
      if (user !== undefined) {
        return { kind: 'verify', credentials: { mechanism: 'LOGIN', user, password: text, authorizeAs: '' } };
      }
      user = text;
      return { kind: 'challenge', bytes: passwordPrompt };
    }
    return {
      begin: (initial) => (initial === undefined ? { kind: 'challenge', bytes: userPrompt } : next(initial)),
      next,
    };
  },
  client({ user, password }) {
    const isWritable = ![user, password].some((text) => text === '' || text.includes('\0'));
    const answers = isWritable ? [user, password] : [];
    return {
      initial: undefined,
      // The prompts differ from host to host; only their order counts.
      next() {
        const answer = answers.shift();
        return answer === undefined ? undefined : Buffer.from(answer, 'utf8');
      },
    };
  },
};
