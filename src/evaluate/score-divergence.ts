/** kl: the mean divergence of the artifact's distributions from the float model's; it needs no labels. */
import { classCountOf } from '../distribution.ts';
import { UserError } from '../errors.ts';
import type { NamedTensors, Tensor } from '../tensor.ts';
import { assertFinite } from './assert-finite.ts';
import { describeOutputs, isFloatType, pickOutput, toFloats } from './class-scores.ts';
import { type Comparison, createComparison } from './compare-distributions.ts';
import { meanOf } from './mean-of.ts';
import type { Measurements } from './measurements.ts';
import type { BatchOutputs, Scorer } from './scorer.ts';

/**
 * A model's only output, or the one that the config names, is read as class scores on its last axis. Of several, those
 * count whose rows are probabilities as they stand (a detector's scores do, its boxes do not); a sample's divergence is
 * then the mean over them.
 *
 * @param allNames the model's outputs
 * @param wanted the one that the config names, if it does
 */
export function createDivergenceScorer(allNames: readonly string[], wanted?: string): Scorer {
  const isChosen = wanted !== undefined || allNames.length === 1;
  let comparisons: ReadonlyMap<string, Comparison> | undefined;
  let sampleCount = 0;
  return {
    outputNames: () => [...(comparisons?.keys() ?? allNames)],
    add(batch) {
      comparisons ??= startComparisons(wanted === undefined ? batch.float : pickOutput(batch.float, wanted));
      for (const [name, comparison] of comparisons) addBatch(name, comparison, batch, sampleCount);
      if (!isChosen) comparisons = keepProbabilities(comparisons, batch.float);
      sampleCount += batch.sampleCount;
    },
    measurements: () => summarize(comparisons!, sampleCount),
  };
}

function startComparisons(outputs: NamedTensors): ReadonlyMap<string, Comparison> {
  const serving = Object.entries(outputs).filter(([, output]) => isDistributionShaped(output));
  if (serving.length === 0) throw noDistribution(outputs);
  return new Map(serving.map(([name]) => [name, createComparison()]));
}

function isDistributionShaped(output: Tensor): boolean {
  return isFloatType(output.elementType) && output.dims.length >= 2 && classCountOf(output) >= 2;
}

function addBatch(name: string, comparison: Comparison, batch: BatchOutputs, firstSample: number): void {
  const [float, artifact] = [toFloats(batch.float[name]!), toFloats(batch.artifact[name]!)];
  if (float.dims[0] !== batch.batchSize) {
    throw new UserError({
      what: `the output '${name}' [${float.dims.join(', ')}] of ${batch.batchSize} samples has no axis of samples first, so kl cannot be told per sample`,
      fix: 'export the model with the batch on the first axis of its outputs',
    });
  }
  assertFinite(name, float, batch.sampleCount, firstSample);
  comparison.add(float, artifact, batch.sampleCount);
}

function keepProbabilities(
  comparisons: ReadonlyMap<string, Comparison>,
  outputs: NamedTensors,
): ReadonlyMap<string, Comparison> {
  const kept = [...comparisons].filter(([, comparison]) => comparison.hasProbabilities());
  if (kept.length === 0) throw noDistribution(outputs);
  return new Map(kept);
}

function noDistribution(outputs: NamedTensors): UserError {
  return new UserError({
    what: `the metric kl needs an output of class scores, or one whose rows are probabilities; found ${describeOutputs(Object.entries(outputs))}`,
    fix: 'name an output with classes on its last axis in gate.output',
  });
}

function summarize(comparisons: ReadonlyMap<string, Comparison>, sampleCount: number): Measurements {
  const perOutput = [...comparisons.values()].map((comparison) => comparison.divergences());
  const divergences = Float64Array.from({ length: sampleCount }, (_, sample) =>
    meanOf(perOutput.map((ofSamples) => ofSamples[sample]!)),
  );
  const klToFloat = meanOf(divergences);
  return {
    metric: 'kl',
    sampleCount,
    outputNames: [...comparisons.keys()],
    // The float model diverges from itself by nothing, so all of the artifact's divergence is drop.
    float: 0,
    quantized: klToFloat,
    drop: klToFloat,
    nonFiniteCount: divergences.filter(Number.isNaN).length,
    klToFloat,
    divergences,
    agreement: meanOf([...comparisons.values()].map((comparison) => comparison.agreement())),
  };
}
