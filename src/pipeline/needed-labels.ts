import type { Config } from '../config/config.ts';
import { checkLabels } from '../dataset/labels.ts';
import type { Data } from '../dataset/open-data.ts';
import { classCountOf } from '../distribution.ts';
import type { Reference } from '../sensitivity/reference.ts';

/**
 * Make sure, before anything long runs, that the metric and the loss have the labels they need.
 *
 * @throws UserError if labels are missing, or name a class that the model does not have
 */
export function checkNeededLabels({ gate, sensitivity }: Config, data: Data, { outputs }: Reference): void {
  const classCount = classCountOf(outputs[0]![0]!);
  if (gate.metric !== 'kl') checkLabels(data.evaluation.set, classCount);
  if (sensitivity.loss === 'cross-entropy') checkLabels(data.calibration.set, classCount);
}
