/** How far the artifact's class distributions are from the float model's, sample by sample as batches arrive. */
import {
  classCountOf,
  type DistributionKind,
  distributionKind,
  divergence,
  floatsOf,
  logProbabilities,
} from '../distribution.ts';
import { elementCount, type Tensor } from '../tensor.ts';
import { isSampleFinite } from './assert-finite.ts';
import { firstClass } from './class-ranks.ts';

/** One output of both models; its last axis holds classes, and a sample may hold several distributions. */
export type Comparison = {
  /** @param sampleCount samples that count; the rest of the batch is padding */
  add(float: Tensor, artifact: Tensor, sampleCount: number): void;
  /** Whether every row of the float model so far is a distribution as it stands. */
  hasProbabilities(): boolean;
  /** KL(float ‖ artifact) in nats, the mean over a sample's distributions, NaN where the artifact is not finite; shape [sampleCount]. */
  divergences(): readonly number[];
  /** Share of distributions in which both models have the same class first. */
  agreement(): number;
};

/**
 * One batch of logits may by chance look like probabilities, all of them do not: both readings are kept until a batch
 * decides.
 */
export function createComparison(): Comparison {
  const ofLogits: number[] = [];
  let ofProbabilities: number[] | undefined = [];
  let [agreeingCount, itemCount] = [0, 0];
  return {
    add(float, artifact, sampleCount) {
      if (distributionKind(float) !== 'probabilities') ofProbabilities = undefined;
      ofLogits.push(...measureDivergences(float, artifact, sampleCount, 'logits'));
      ofProbabilities?.push(...measureDivergences(float, artifact, sampleCount, 'probabilities'));
      agreeingCount += countAgreeing(float, artifact, sampleCount);
      itemCount += (sampleCount * sampleSizeOf(float)) / classCountOf(float);
    },
    hasProbabilities: () => ofProbabilities !== undefined,
    divergences: () => ofProbabilities ?? ofLogits,
    agreement: () => agreeingCount / itemCount,
  };
}

function measureDivergences(float: Tensor, artifact: Tensor, sampleCount: number, kind: DistributionKind): number[] {
  const [logP, logQ] = [logProbabilities(float, kind), logProbabilities(artifact, kind)];
  const classCount = classCountOf(float);
  return Array.from({ length: sampleCount }, (_, sample) => {
    // An infinite "probability" would come out as the best of all divergences.
    if (!isSampleFinite(artifact, sample)) return Number.NaN;
    // Rounding alone makes a divergence negative.
    const ofItems = itemStarts(float, sample).map((start) => Math.max(0, divergence(logP, logQ, start, classCount)));
    return ofItems.reduce((sum, value) => sum + value, 0) / ofItems.length;
  });
}

function countAgreeing(float: Tensor, artifact: Tensor, sampleCount: number): number {
  const [expected, found] = [floatsOf(float), floatsOf(artifact)];
  const classCount = classCountOf(float);
  let count = 0;
  for (let sample = 0; sample < sampleCount; sample++) {
    if (!isSampleFinite(artifact, sample)) continue;
    for (const start of itemStarts(float, sample)) {
      if (firstClass(expected, start, classCount) === firstClass(found, start, classCount)) count += 1;
    }
  }
  return count;
}

/** Where each distribution of a sample starts in the data. */
function itemStarts(output: Tensor, sample: number): number[] {
  const classCount = classCountOf(output);
  const sampleSize = sampleSizeOf(output);
  return Array.from({ length: sampleSize / classCount }, (_, item) => sample * sampleSize + item * classCount);
}

function sampleSizeOf({ dims }: Tensor): number {
  return elementCount(dims.slice(1));
}
