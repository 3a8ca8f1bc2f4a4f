import { createRequire } from 'node:module';

/** Where releases carry HiGHS, beside the bundle. */
const VENDORED = './vendor/node_modules/highs/build/highs.js';
const PACKAGE = 'highs';

/** What `require` in this file's folder has to be given for HiGHS: the vendored file where there is one, else the package. */
export function findHighs(): string {
  const { resolve } = createRequire(import.meta.url);
  try {
    return resolve(VENDORED);
  } catch {
    return PACKAGE;
  }
}
