/** Pages that are partly made: what stands between two marks. */

const END = '<!-- end of what `npm run docs` makes -->';

/**
 * The page with what stands between its two marks made anew.
 *
 * @param begin the first mark, a line
 * @throws Error if a mark is missing
 */
export function replaceGenerated(page: string, begin: string, text: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the page has no lines "${begin}" and "${END}"`);
  return `${page.slice(0, from)}${begin}\n\n${text}\n${page.slice(to)}`;
}
