/** Ascending indices as a short text: 0, 1, 2, 5 is "0-2,5". */
export function renderRanges(indices: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const index of indices) {
    const current = ranges.at(-1);
    if (current !== undefined && current.last === index - 1) current.last = index;
    else ranges.push({ first: index, last: index });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

/** The indices, or undefined if the text is not what `renderRanges` writes for indices below `limit`. */
export function parseRanges(text: string, limit: number): number[] | undefined {
  const indices: number[] = [];
  for (const part of text === '' ? [] : text.split(',')) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    // Each range begins behind the one before, so no text can ask for more than `limit` indices.
    const isNext = first !== undefined && Number(first) > (indices.at(-1) ?? -1) && Number(last) < limit;
    if (!isNext) return undefined;
    for (let index = Number(first); index <= Number(last); index++) indices.push(index);
  }
  return renderRanges(indices) === text ? indices : undefined;
}
