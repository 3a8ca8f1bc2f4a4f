import { UserError } from '../errors.ts';
import type { SampleSet } from './sample-set.ts';

/**
 * Refuse to measure on what was calibrated on: no chosen sample of one set may have the stored content of one of the
 * other.
 *
 * @throws UserError with the number of shared samples and the first of them
 */
export async function assertDisjoint(
  calibration: SampleSet,
  calibrationIndices: readonly number[],
  evaluation: SampleSet,
  evaluationIndices: readonly number[],
): Promise<void> {
  const evaluationHashes = await evaluation.contentHashes(evaluationIndices);
  const evaluationIndexByHash = new Map(evaluationHashes.map((hash, place) => [hash, evaluationIndices[place]!]));
  const calibrationHashes = await calibration.contentHashes(calibrationIndices);
  const twins = calibrationHashes.map((hash) => evaluationIndexByHash.get(hash));
  const shared = calibrationIndices.filter((_, place) => twins[place] !== undefined);
  const [first] = shared;
  if (first === undefined) return;
  const twin = twins.find((index) => index !== undefined)!;
  throw new UserError({
    what:
      `calibration = evaluation data: ${shared.length} of ${calibrationIndices.length} calibration samples are ` +
      `evaluation samples too, the first is ${describe(calibration, first)} = ${describe(evaluation, twin)}`,
    where: calibration.path,
    fix: 'take calibration samples from other data: accuracy on data the quantization was fitted to says nothing',
  });
}

function describe({ path, sampleNames }: SampleSet, index: number): string {
  const name = sampleNames?.[index];
  return name === undefined ? `sample ${index} of ${path}` : `${path}/${name}`;
}
