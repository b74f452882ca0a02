import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../packages/posthorn/src/config/check-config.ts';
import { hashPassword } from '../packages/posthorn/src/config/password.ts';

function read(page: string): string {
  return readFileSync(new URL(`../${page}`, import.meta.url), 'utf8');
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the page has
type Fields = Record<string, any>;

async function shownConfig(): Promise<Fields> {
  const code = /export default defineConfig\((\{[\s\S]*?\n\})\);/.exec(read('README.md'))?.[1];
  const config = new Function(`return ${code}`)() as Fields;
  config.users.alice.password = await hashPassword('x');
  return config;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The configuration with a piece added: lists become longer, and what has fields gets more of them. */
function add(config: Fields, piece: Fields): Fields {
  const sum = { ...config };
  for (const [key, value] of Object.entries(piece)) {
    const present = sum[key];
    if (Array.isArray(present)) sum[key] = [...present, ...value];
    else sum[key] = isFields(present) ? add(present, value) : value;
  }
  return sum;
}

describe('README', () => {
  it('shows a configuration that the check finds nothing in', async () => {
    expect(checkConfig(await shownConfig())).not.toHaveProperty('mistakes');
  });
});

describe('the guide', async () => {
  const pieces = [...read('docs/guide.md').matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  const config = await shownConfig();
  const password = config.users.alice.password;

  it.each(pieces)('shows a piece of configuration that the check finds nothing in: %s', (text) => {
    const piece = JSON.parse(text) as Fields;
    for (const user of Object.values<Fields>(piece.users ?? {})) user.password ??= password;
    expect(checkConfig(add(config, piece))).not.toHaveProperty('mistakes');
  });
});
