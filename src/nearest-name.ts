/**
 * The name that was probably meant: the one with the fewest edits (a letter inserted, removed, replaced, or two
 * neighbours swapped), if those are at most a third of the letters; undefined when none is near.
 */
export function nearestName(found: string, names: readonly string[]): string | undefined {
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of names) {
    const distance = editDistance(found.toLowerCase(), name.toLowerCase());
    const isNear = distance <= Math.max(1, Math.floor(Math.max(found.length, name.length) / 3));
    if (isNear && distance < name.length && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

/** Edits that turn `a` into `b`, no letter edited twice (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? beforeLast[j - 2]! + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, replace, swap));
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
