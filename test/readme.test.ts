import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../packages/posthorn/src/config/check-config.ts';
import { hashPassword } from '../packages/posthorn/src/config/password.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('README', () => {
  it('shows a configuration that the check finds nothing in', async () => {
    const code = /export default defineConfig\((\{[\s\S]*?\n\})\);/.exec(readme)?.[1];
    const config = new Function(`return ${code}`)();
    config.users.alice.password = await hashPassword('x');
    expect(checkConfig(config)).not.toHaveProperty('mistakes');
  });
});
