import type { IndexedProgram } from './indexed-program.ts';

/**
 * A bound from every term alone: Σ over groups of the least ½G_ii(b,b), plus Σ over pairs of groups of the least entry of
 * their block. Weak, but finite and there at once.
 */
export function termwiseBound({ groupCount, offsets, quadratic, variableCount }: IndexedProgram): number {
  let sum = 0;
  for (let first = 0; first < groupCount; first++) {
    for (let second = 0; second <= first; second++) {
      let least = Number.POSITIVE_INFINITY;
      for (let row = offsets[first]!; row < offsets[first + 1]!; row++) {
        const start = row * variableCount;
        if (first === second) least = Math.min(least, quadratic[start + row]! / 2);
        else
          for (let c = offsets[second]!; c < offsets[second + 1]!; c++) least = Math.min(least, quadratic[start + c]!);
      }
      sum += least;
    }
  }
  return sum;
}
