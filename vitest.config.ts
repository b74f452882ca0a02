import { defineConfig } from 'vitest/config';

const conditions = ['posthorn-source', 'node', 'import', 'module', 'default'];
const report = process.env.POSTHORN_TEST_REPORT;

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Many tests wait for peers and clocks; on two processors one worker would leave half of the time unused.
    maxWorkers: 2,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
});
