/**
 * The closest non-increasing sequence in the least-squares sense, by pooling adjacent violators (Ayer et al. 1955).
 *
 * @param values shape [count]
 * @returns shape [count]
 */
export function nonIncreasing(values: readonly number[]): number[] {
  const pools: { mean: number; count: number }[] = [];
  for (const value of values) {
    pools.push({ mean: value, count: 1 });
    while (pools.length > 1 && pools.at(-2)!.mean < pools.at(-1)!.mean) {
      const [last, before] = [pools.pop()!, pools.pop()!];
      const count = before.count + last.count;
      pools.push({ mean: (before.mean * before.count + last.mean * last.count) / count, count });
    }
  }
  return pools.flatMap(({ mean, count }) => new Array<number>(count).fill(mean));
}
