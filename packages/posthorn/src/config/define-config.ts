import type { ConfigInput } from './schema.ts';

/** Gives a configuration in TypeScript its types: `export default defineConfig({ … })`. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
