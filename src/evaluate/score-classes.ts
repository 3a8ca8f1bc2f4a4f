/** top1 and top5: the share of samples whose label is the first, or among the first five, of the model's classes. */
import { floatsOf } from '../distribution.ts';
import { UserError } from '../errors.ts';
import type { Tensor } from '../tensor.ts';
import { assertFinite, isSampleFinite } from './assert-finite.ts';
import { rankOf } from './class-ranks.ts';
import { chooseClassScores, classScoresOf, HIT_RANK } from './class-scores.ts';
import { type Comparison, createComparison } from './compare-distributions.ts';
import { meanOf } from './mean-of.ts';
import type { Measurements } from './measurements.ts';
import type { BatchOutputs, Scorer } from './scorer.ts';

/** What the two models made of one sample. */
type Outcome = {
  readonly isFloatRight: boolean;
  readonly isArtifactRight: boolean;
  readonly isArtifactFinite: boolean;
};

/**
 * @param allNames the model's outputs
 * @param wanted the one that the config names, if it does
 */
export function createClassScorer(metric: keyof typeof HIT_RANK, allNames: readonly string[], wanted?: string): Scorer {
  const outcomes: Outcome[] = [];
  const comparison = createComparison();
  let chosen: string | undefined;
  return {
    outputNames: () => (chosen === undefined ? allNames : [chosen]),
    add(batch) {
      chosen ??= chooseClassScores(metric, batch.float, batch.batchSize, wanted).name;
      const [float, artifact] = rowsOf(chosen, batch);
      assertFinite(chosen, float, batch.sampleCount, outcomes.length);
      const labels = labelsOf(metric, chosen, batch, float.dims[1]!, outcomes.length);
      comparison.add(float, artifact, batch.sampleCount);
      labels.forEach((label, sample) => void outcomes.push(compare(float, artifact, sample, label, HIT_RANK[metric])));
    },
    measurements: () => summarize(metric, chosen!, outcomes, comparison),
  };
}

function rowsOf(name: string, { float, artifact, batchSize }: BatchOutputs): readonly [Tensor, Tensor] {
  const [expected, found] = [classScoresOf(float[name]!, batchSize), classScoresOf(artifact[name]!, batchSize)];
  if (expected !== undefined && found !== undefined) return [expected, found];
  throw new Error(`output '${name}' changed its shape between batches`);
}

/** @throws UserError if a sample has no label, or one that the model has no class for */
function labelsOf(
  metric: string,
  name: string,
  { labels, sampleCount }: BatchOutputs,
  classCount: number,
  firstSample: number,
): Int32Array {
  if (labels === undefined) {
    throw new UserError({
      what: `the metric ${metric} needs labels, which the evaluation data do not have`,
      fix: "add an array 'labels' to the .npz file, or one sub-folder of pictures per class; or set gate.metric to kl",
    });
  }
  const index = labels.findIndex((label) => label < 0 || label >= classCount);
  if (index < 0) return labels.subarray(0, sampleCount);
  throw new UserError({
    what: `the label of evaluation sample ${firstSample + index} is ${labels[index]}, but '${name}' has the classes 0 to ${classCount - 1}`,
    fix: 'number the classes as the model does, from 0 on',
  });
}

function compare(float: Tensor, artifact: Tensor, sample: number, label: number, hitRank: number): Outcome {
  const classCount = float.dims[1]!;
  const [expected, found] = [floatsOf(float), floatsOf(artifact)];
  const start = sample * classCount;
  const isArtifactFinite = isSampleFinite(artifact, sample);
  return {
    isFloatRight: rankOf(label, expected, start, classCount) < hitRank,
    isArtifactRight: isArtifactFinite && rankOf(label, found, start, classCount) < hitRank,
    isArtifactFinite,
  };
}

function summarize(
  metric: keyof typeof HIT_RANK,
  name: string,
  outcomes: readonly Outcome[],
  comparison: Comparison,
): Measurements {
  const divergences = Float64Array.from(comparison.divergences());
  const count = (has: (outcome: Outcome) => boolean) => outcomes.filter(has).length;
  const pairedCounts = {
    both: count(({ isFloatRight, isArtifactRight }) => isFloatRight && isArtifactRight),
    onlyFloat: count(({ isFloatRight, isArtifactRight }) => isFloatRight && !isArtifactRight),
    onlyArtifact: count(({ isFloatRight, isArtifactRight }) => !isFloatRight && isArtifactRight),
    neither: count(({ isFloatRight, isArtifactRight }) => !isFloatRight && !isArtifactRight),
  };
  const sampleCount = outcomes.length;
  return {
    metric,
    sampleCount,
    outputNames: [name],
    float: (pairedCounts.both + pairedCounts.onlyFloat) / sampleCount,
    quantized: (pairedCounts.both + pairedCounts.onlyArtifact) / sampleCount,
    drop: (pairedCounts.onlyFloat - pairedCounts.onlyArtifact) / sampleCount,
    nonFiniteCount: count(({ isArtifactFinite }) => !isArtifactFinite),
    klToFloat: meanOf(divergences),
    divergences,
    agreement: comparison.agreement(),
    pairedCounts,
  };
}
