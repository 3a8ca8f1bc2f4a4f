import { floatsOf } from '../distribution.ts';
import { UserError } from '../errors.ts';
import { elementCount, type Tensor } from '../tensor.ts';

/**
 * Nothing can be said of an artifact against a float model that gives no numbers: its drop would come out negative.
 *
 * @throws UserError if a sample of the float model's output holds NaN or infinity
 */
export function assertFinite(name: string, output: Tensor, sampleCount: number, firstSample: number): void {
  for (let sample = 0; sample < sampleCount; sample++) {
    if (isSampleFinite(output, sample)) continue;
    throw new UserError({
      what: `the float model's output '${name}' is NaN or infinite on evaluation sample ${firstSample + sample}`,
      fix: 'check the model and the preprocessing (scale, mean, std)',
    });
  }
}

/** Whether a sample's output holds neither NaN nor infinity. */
export function isSampleFinite(output: Tensor, sample: number): boolean {
  const sampleSize = elementCount(output.dims.slice(1));
  return floatsOf(output)
    .subarray(sample * sampleSize, (sample + 1) * sampleSize)
    .every(Number.isFinite);
}
