/** Where a class stands among a sample's scores; equal scores stand in the order of their classes, lowest index first. */

/**
 * How many classes come before `label`: 0 is the first.
 *
 * @param scores finite, rows of `classCount`; the row in question starts at `start`
 */
export function rankOf(label: number, scores: ArrayLike<number>, start: number, classCount: number): number {
  const score = scores[start + label]!;
  let rank = 0;
  for (let index = 0; index < classCount; index++) {
    const other = scores[start + index]!;
    if (other > score || (other === score && index < label)) rank += 1;
  }
  return rank;
}

/** The class with the largest score. */
export function firstClass(scores: ArrayLike<number>, start: number, classCount: number): number {
  let first = 0;
  for (let index = 1; index < classCount; index++) {
    if (scores[start + index]! > scores[start + first]!) first = index;
  }
  return first;
}
