import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: vitest reads the default export.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real sessions on a slow shared runner; a hung test still ends.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // By itself it leaves one core for watching files, which is half of the machine on a small runner.
    maxWorkers: '100%',
  },
});
