/** How far an objective may be from optimal, relative to itself; an objective of zero is compared with 1e-12. */
const LEAST_DENOMINATOR = 1e-12;
/** Room for the rounding of the difference between an objective and its bound. */
const ROUNDING = 4 * Number.EPSILON;

/** (objective − bestBound) / max(|objective|, 1e-12), never negative. */
export function relativeGapOf(objective: number, bestBound: number): number {
  return Math.max(0, objective - bestBound) / Math.max(Math.abs(objective), LEAST_DENOMINATOR);
}

/** The bound from which on `objective` is within the relative gap; +∞ while there is no objective. */
export function cutoffFor(objective: number | undefined, relativeGap: number): number {
  if (objective === undefined) return Number.POSITIVE_INFINITY;
  const gap = Math.max(0, relativeGap * (1 - 1e-9) - ROUNDING);
  return objective - gap * Math.max(Math.abs(objective), LEAST_DENOMINATOR);
}
