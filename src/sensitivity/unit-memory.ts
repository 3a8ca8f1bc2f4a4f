/** An estimate of what a branch graph's session takes, so that a unit is made no larger than the machine bears. */
import type { Model } from '../onnx/model.ts';
import { dependentNodes } from './branch-graph.ts';
import type { Candidate } from './candidates.ts';
import type { LayerCosts, NodeCost } from './layer-costs.ts';
import type { UnitMemory } from './work-units.ts';

/** The runtime keeps a weight as it came and once more in the order its kernels read. */
const WEIGHT_COPIES = 2;

/**
 * Outputs of a branch that live at the same time: branches run one after the other and reuse memory, but what they read of
 * the shared network has to be kept for them.
 */
const LIVE_OUTPUTS = 1;

/** @param costs for the batch that a session is fed at once */
export function estimateUnitMemory(
  model: Model,
  candidates: readonly Candidate[],
  costs: LayerCosts,
  limitBytes: number,
): UnitMemory {
  const all = [...costs.values()];
  return {
    limitBytes,
    baseBytes: WEIGHT_COPIES * sumOf(all, 'weightBytes') + sumOf(all, 'outputBytes'),
    branchBytes: candidates.map(({ perturbation }) => {
      const copied = dependentNodes(model.graph, [...perturbation.keys()]).flatMap((node) => costs.get(node) ?? []);
      const largestOutput = Math.max(0, ...copied.map(({ outputBytes }) => outputBytes));
      return WEIGHT_COPIES * sumOf(copied, 'weightBytes') + LIVE_OUTPUTS * largestOutput;
    }),
  };
}

function sumOf(costs: readonly NodeCost[], key: keyof NodeCost): number {
  return costs.reduce((sum, cost) => sum + cost[key], 0);
}
