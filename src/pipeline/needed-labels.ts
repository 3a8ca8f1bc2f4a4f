import type { Config } from '../config/config.ts';
import { checkLabels } from '../dataset/labels.ts';
import type { Data } from '../dataset/open-data.ts';
import { classCountOf } from '../distribution.ts';
import { chooseClassScores } from '../evaluate/class-scores.ts';
import type { Reference } from '../sensitivity/reference.ts';

/**
 * Make sure, before anything long runs, that the metric and the loss have the outputs and the labels they need.
 *
 * @throws UserError if no output serves the metric, labels are missing, or one names a class that the model does not have
 */
export function checkNeededLabels({ gate, sensitivity }: Config, data: Data, reference: Reference): void {
  const [outputs] = reference.outputs;
  if (gate.metric !== 'kl') {
    const named = Object.fromEntries(reference.outputNames.map((name, index) => [name, outputs![index]!]));
    const { classCount } = chooseClassScores(gate.metric, named, outputs![0]!.dims[0]!, gate.output);
    checkLabels(data.evaluation.set, classCount);
  }
  if (sensitivity.loss === 'cross-entropy') checkLabels(data.calibration.set, classCountOf(outputs![0]!));
}
