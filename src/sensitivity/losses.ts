/** The calibration losses (docs/formulation.md, "Loss"): how far a perturbed network is from the float one, sample by sample. */
import type { Batch } from '../dataset/sample-set.ts';
import {
  classCountOf,
  type DistributionKind,
  distributionKind,
  divergence,
  floatsOf,
  logProbabilities,
} from '../distribution.ts';
import { UserError } from '../errors.ts';
import { elementCount, type Tensor } from '../tensor.ts';

export type LossName = 'kl' | 'cross-entropy' | 'mse';

/** Losses of one batch's samples from the model's outputs in the model's order, shape [sampleCount]. */
export type BatchLoss = (outputs: readonly Tensor[]) => Float64Array;

/** The float model's outputs for one batch, in the model's order. */
export type ReferenceOutputs = readonly Tensor[];

/**
 * One loss per batch; each is zero for the float model's own outputs, cross-entropy included (the float loss is subtracted).
 *
 * @param references shape [batches.length]
 * @throws UserError if the outputs or the data do not serve the loss
 */
export function createLosses(
  name: LossName,
  batches: readonly Batch[],
  references: readonly ReferenceOutputs[],
  outputNames: readonly string[],
): BatchLoss[] {
  assertFinite(references, outputNames);
  assertSamplesFirst(batches, references, outputNames);
  if (name === 'mse') return createSquaredErrors(batches, references);
  const kind = commonKind(name, references, outputNames);
  const create = name === 'kl' ? klDivergence : crossEntropy;
  return batches.map((batch, index) => create(batch, references[index]![0]!, kind));
}

/** KL(float ‖ perturbed) of a sample, the mean over the items of a sample where it has several. */
function klDivergence({ sampleCount }: Batch, reference: Tensor, kind: DistributionKind): BatchLoss {
  const logP = logProbabilities(reference, kind);
  const classCount = classCountOf(reference);
  return ([output]) => {
    const logQ = logProbabilities(output!, kind);
    return perSample(sampleCount, reference, classCount, (start) => divergence(logP, logQ, start, classCount));
  };
}

/** −log of the label's probability, minus the same of the float model. */
function crossEntropy({ sampleCount, labels }: Batch, reference: Tensor, kind: DistributionKind): BatchLoss {
  const classCount = classCountOf(reference);
  const logP = logProbabilities(reference, kind);
  return ([output]) => {
    const logQ = logProbabilities(output!, kind);
    return Float64Array.from({ length: sampleCount }, (_, sample) => {
      const index = sample * classCount + labels![sample]!;
      return logP[index]! - logQ[index]!;
    });
  };
}

/** Squared difference over the variance of the float output, the mean over elements and over outputs. */
function createSquaredErrors(batches: readonly Batch[], references: readonly ReferenceOutputs[]): BatchLoss[] {
  const variances = (references[0] ?? []).map((_, output) => varianceOf(references.map((outputs) => outputs[output]!)));
  return batches.map(({ sampleCount }, index) => (outputs) => {
    const sums = new Float64Array(sampleCount);
    for (const [position, reference] of references[index]!.entries()) {
      const expected = floatsOf(reference);
      const found = floatsOf(outputs[position]!);
      const errors = perSample(sampleCount, reference, 1, (start) => (found[start]! - expected[start]!) ** 2);
      for (let sample = 0; sample < sampleCount; sample++) {
        sums[sample]! += errors[sample]! / (variances[position]! * outputs.length);
      }
    }
    return sums;
  });
}

/** Means over each sample's items; an item is `itemSize` elements from `start`. */
function perSample(
  sampleCount: number,
  { dims }: Tensor,
  itemSize: number,
  lossOfItem: (start: number) => number,
): Float64Array {
  const sampleSize = elementCount(dims.slice(1));
  const itemCount = sampleSize / itemSize;
  return Float64Array.from({ length: sampleCount }, (_, sample) => {
    let sum = 0;
    for (let item = 0; item < itemCount; item++) sum += lossOfItem(sample * sampleSize + item * itemSize);
    return sum / itemCount;
  });
}

/** The variance over all elements, or 1 for a constant output, which has no scale of its own. */
function varianceOf(outputs: readonly Tensor[]): number {
  let [count, sum, squares] = [0, 0, 0];
  for (const output of outputs) {
    for (const value of floatsOf(output)) {
      count += 1;
      sum += value;
      squares += value * value;
    }
  }
  const variance = squares / count - (sum / count) ** 2;
  return variance > 0 ? variance : 1;
}

/**
 * All batches have to agree: one batch of logits may by chance look like probabilities, all of them do not. Where a sample has
 * several rows on the last axis, only probabilities show that the rows are distributions.
 */
function commonKind(
  name: LossName,
  references: readonly ReferenceOutputs[],
  outputNames: readonly string[],
): DistributionKind {
  const dims = references[0]?.[0]?.dims ?? [];
  const hasClasses = outputNames.length === 1 && dims.length >= 2 && dims.at(-1)! >= 2;
  const isProbability = hasClasses && references.every(([output]) => distributionKind(output!) === 'probabilities');
  const isVector = elementCount(dims.slice(1, -1)) === 1;
  if (hasClasses && (isVector || (isProbability && name === 'kl'))) return isProbability ? 'probabilities' : 'logits';
  const found = outputNames.map((output, index) => `'${output}' [${references[0]?.[index]?.dims.join(', ')}]`);
  throw new UserError({
    what: `the loss ${name} needs one output of class scores, shape [batch, classes]; the model has ${found.join(', ')}`,
    fix: 'set sensitivity.loss to mse, which compares any outputs',
  });
}

function assertFinite(references: readonly ReferenceOutputs[], outputNames: readonly string[]): void {
  for (const outputs of references) {
    for (const [index, output] of outputs.entries()) {
      if (isFloatOutput(output) && floatsOf(output).every(Number.isFinite)) continue;
      throw new UserError(
        isFloatOutput(output)
          ? {
              what: `the float model's output '${outputNames[index]}' is NaN or infinite on the calibration data`,
              fix: 'check the model and the preprocessing (scale, mean, std)',
            }
          : {
              what: `the model's output '${outputNames[index]}' is ${output.elementType}, which no loss can compare`,
              fix: 'export the model without that output',
            },
      );
    }
  }
}

/** What is said of a sample is read from its place on the first axis. */
function assertSamplesFirst(
  batches: readonly Batch[],
  references: readonly ReferenceOutputs[],
  outputNames: readonly string[],
): void {
  for (const [index, { feeds }] of batches.entries()) {
    const fedCount = Object.values(feeds)[0]?.dims[0];
    const position = references[index]!.findIndex(({ dims }) => dims[0] !== fedCount);
    if (position < 0) continue;
    const { dims } = references[index]![position]!;
    throw new UserError({
      what: `the model's output '${outputNames[position]}' [${dims.join(', ')}] of ${fedCount} samples has no axis of samples first`,
      fix: 'export the model with the batch on the first axis of its outputs',
    });
  }
}

function isFloatOutput({ elementType }: Tensor): boolean {
  return elementType === 'float32' || elementType === 'float64' || elementType === 'float16';
}
