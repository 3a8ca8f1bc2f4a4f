import type { Config } from '../config/config.ts';
import { checkLabels } from '../dataset/labels.ts';
import type { Data } from '../dataset/open-data.ts';
import type { Batch } from '../dataset/sample-set.ts';
import { classCountOf } from '../distribution.ts';
import { chooseClassScores } from '../evaluate/class-scores.ts';
import { createDivergenceScorer } from '../evaluate/score-divergence.ts';
import type { Reference } from '../sensitivity/reference.ts';

/**
 * Make sure, before anything long runs, that the metric and the loss have the outputs and the labels they need; a command
 * sees to that by itself.
 *
 * @param batches of the calibration set, those of the reference
 * @throws UserError if no output serves the metric, labels are missing, or one names a class that the model does not have
 */
export function checkNeededLabels(
  { gate, sensitivity }: Config,
  data: Data,
  batches: readonly Batch[],
  reference: Reference,
): void {
  const [outputs] = reference.outputs;
  const { feeds, sampleCount } = batches[0]!;
  const batchSize = Object.values(feeds)[0]!.dims[0]!;
  const named = Object.fromEntries(reference.outputNames.map((name, index) => [name, outputs![index]!]));
  switch (gate.metric) {
    case 'command':
      break;
    case 'kl':
      createDivergenceScorer(reference.outputNames, gate.output).add({
        float: named,
        artifact: named,
        sampleCount,
        batchSize,
      });
      break;
    default: {
      const { classCount } = chooseClassScores(gate.metric, named, batchSize, gate.output);
      checkLabels(data.evaluation!.set, classCount);
    }
  }
  if (sensitivity.loss === 'cross-entropy') checkLabels(data.calibration.set, classCountOf(outputs![0]!));
}
