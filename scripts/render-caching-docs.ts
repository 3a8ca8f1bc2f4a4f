/** What invalidates what, in docs/caching.md. */
import { explainKey } from '../src/cache/measurement-key.ts';
import { replaceGenerated } from './replace-generated.ts';

const BEGIN = '<!-- made by `npm run docs` from src/cache/measurement-key.ts: edit that, not this part -->';

/** The page with its table made anew. @throws Error if one of its marks is missing */
export function renderCachingDocs(page: string): string {
  return replaceGenerated(page, BEGIN, explainKey());
}
