import { createRequire } from 'node:module';
import type { Highs, InitOptions } from 'highs';

/**
 * Load the HiGHS runtime.
 *
 * @param specifier a package name, or a path seen from this file. It reaches `require` as a variable on purpose: a
 * bundler that follows it rewrites the loader of highs.wasm, or the bytes of highs.wasm themselves.
 */
export async function loadHighs(specifier: string): Promise<Highs> {
  const require = createRequire(import.meta.url);
  const load = require(specifier) as (options?: InitOptions) => Promise<Highs>;
  return load();
}
