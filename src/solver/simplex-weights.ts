/**
 * Minimise ½ wᵀHw + l·w over weights w ≥ 0 with Σ w = 1, in place: weight moves pairwise from the worst entry to the
 * best until no move gains more than `tolerance` per unit of weight (sequential minimal optimisation).
 *
 * @param gram H, rows of at least the length of `weights`
 * @param weights start, and result
 */
export function balanceWeights(
  gram: readonly Float64Array[],
  linear: readonly number[],
  weights: Float64Array,
  tolerance: number,
): void {
  const size = weights.length;
  const slopes = slopesOf(gram, linear, weights);
  for (let step = 0; step < MAX_STEPS_PER_WEIGHT * size; step++) {
    const best = lowest(slopes);
    const worst = mostPromising(gram, slopes, weights, best);
    if (worst < 0 || slopes[worst]! - slopes[best]! <= tolerance) return;
    const curvature = gram[best]![best]! + gram[worst]![worst]! - 2 * gram[best]![worst]!;
    const wanted = curvature > 0 ? (slopes[worst]! - slopes[best]!) / curvature : Number.POSITIVE_INFINITY;
    const moved = Math.min(weights[worst]!, wanted);
    weights[best]! += moved;
    weights[worst] = moved === weights[worst] ? 0 : weights[worst]! - moved;
    for (let index = 0; index < size; index++) slopes[index]! += moved * (gram[best]![index]! - gram[worst]![index]!);
  }
}

/** Enough for convergence in practice; the caller's bound does not depend on it. */
const MAX_STEPS_PER_WEIGHT = 100;

function slopesOf(gram: readonly Float64Array[], linear: readonly number[], weights: Float64Array): Float64Array {
  const slopes = Float64Array.from(linear);
  for (let index = 0; index < weights.length; index++) {
    const weight = weights[index]!;
    if (weight === 0) continue;
    const row = gram[index]!;
    for (let other = 0; other < weights.length; other++) slopes[other]! += weight * row[other]!;
  }
  return slopes;
}

function lowest(slopes: Float64Array): number {
  let best = 0;
  for (let index = 1; index < slopes.length; index++) if (slopes[index]! < slopes[best]!) best = index;
  return best;
}

/** The entry with weight whose exchange with `best` gains most, by the second-order estimate; −1 if none gains. */
function mostPromising(
  gram: readonly Float64Array[],
  slopes: Float64Array,
  weights: Float64Array,
  best: number,
): number {
  const bestRow = gram[best]!;
  let worst = -1;
  let most = 0;
  for (let index = 0; index < slopes.length; index++) {
    const difference = slopes[index]! - slopes[best]!;
    if (weights[index] === 0 || difference <= 0) continue;
    const curvature = bestRow[best]! + gram[index]![index]! - 2 * bestRow[index]!;
    const gain = difference ** 2 / Math.max(curvature, Number.MIN_VALUE);
    if (gain > most) {
      worst = index;
      most = gain;
    }
  }
  return worst;
}
