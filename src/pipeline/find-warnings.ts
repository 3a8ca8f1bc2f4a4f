/** What a person should know of a run that fails nothing. */
import type { Config } from '../config/config.ts';
import type { Measurements } from '../evaluate/measurements.ts';
import type { ChosenAllocation } from './choose-allocation.ts';

/** Below this, predictions and measurements hardly agree on which allocation is better. */
const POOR_CORRELATION = 0.5;

export function findWarnings(config: Config, chosen: ChosenAllocation, measurements: Measurements): string[] {
  const { rankCorrelation, isMisranked, stoppedByTime } = chosen;
  const warnings: string[] = [];
  // Proposals that measure alike may come in any order.
  if (rankCorrelation !== undefined && rankCorrelation < POOR_CORRELATION && isMisranked) {
    warnings.push(
      `the model of the damage was wrong: predicted and measured losses rank allocations differently (correlation ${rankCorrelation.toFixed(2)})`,
    );
  }
  if (stoppedByTime && config.search.timeLimitSeconds !== 0)
    warnings.push('the choice by measurement ended at its time limit; another run may choose otherwise');
  if (config.gate.metric === 'top1' && measurements.float === 0) {
    warnings.push('the float model is never right on the evaluation samples: check labels and preprocessing');
  }
  return warnings;
}
