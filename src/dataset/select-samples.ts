import { UserError } from '../errors.ts';
import { seededRandom } from '../random.ts';
import type { SampleSet } from './sample-set.ts';

/**
 * Choose samples without replacement, every choice equally likely; the same seed makes the same choice on every
 * machine.
 *
 * @param count all samples when absent
 * @returns ascending indices, so that a file is read from front to back
 * @throws UserError if the set has fewer samples than asked
 */
export function selectSamples(set: SampleSet, count: number | undefined, seed: number): number[] {
  const indices = Array.from({ length: set.sampleCount }, (_, index) => index);
  if (count === undefined) return indices;
  if (count > set.sampleCount) {
    throw new UserError({
      what: `there are ${set.sampleCount} samples, but ${count} are asked for`,
      where: set.path,
      fix: `set samples to ${set.sampleCount} or less`,
    });
  }
  const random = seededRandom(seed);
  // Fisher and Yates, stopped after `count` draws.
  for (let drawn = 0; drawn < count; drawn++) {
    const other = drawn + Math.floor(random() * (indices.length - drawn));
    [indices[drawn], indices[other]] = [indices[other]!, indices[drawn]!];
  }
  return indices.slice(0, count).sort((a, b) => a - b);
}
