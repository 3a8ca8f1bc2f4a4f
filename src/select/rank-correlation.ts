/**
 * Spearman's rank correlation, ties at their mean rank.
 *
 * @returns undefined when there is nothing to rank: fewer than three pairs, or one side constant
 */
export function rankCorrelation(first: readonly number[], second: readonly number[]): number | undefined {
  if (first.length < 3) return undefined;
  const [a, b] = [ranks(first), ranks(second)];
  const mean = (first.length + 1) / 2;
  const covariance = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, rank, index) => sum + (rank - mean) * (y[index]! - mean), 0);
  const scale = Math.sqrt(covariance(a, a) * covariance(b, b));
  return scale > 0 ? covariance(a, b) / scale : undefined;
}

function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}
