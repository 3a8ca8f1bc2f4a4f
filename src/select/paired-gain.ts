/** Whether one allocation is better than another beyond what the samples' noise explains. */

export type PairedGain = {
  /** Mean of the samples' loss differences, positive when the rival is better. */
  readonly gain: number;
  /** Standard error of that mean. */
  readonly standardError: number;
};

/** @param current losses of the same samples in the same order as `rival`, shape [sampleCount] */
export function pairedGain(current: Float64Array, rival: Float64Array): PairedGain {
  const count = current.length;
  const differences = current.map((loss, sample) => loss - rival[sample]!);
  const gain = differences.reduce((sum, difference) => sum + difference, 0) / count;
  const squares = differences.reduce((sum, difference) => sum + (difference - gain) ** 2, 0);
  return { gain, standardError: Math.sqrt(squares / Math.max(1, count - 1) / count) };
}

/** A gain that noise alone would rarely make: beyond one standard error once in six times, beyond two once in forty. */
export function exceedsNoise({ gain, standardError }: PairedGain, standardErrors = 1): boolean {
  return gain > standardErrors * standardError;
}
