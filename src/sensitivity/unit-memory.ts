/** An estimate of what a branch graph's session takes, so that a unit is made no larger than the machine bears. */
import type { Model } from '../onnx/model.ts';
import { dependentNodes } from './branch-graph.ts';
import type { Candidate } from './candidates.ts';
import type { LayerCosts, NodeCost } from './layer-costs.ts';
import type { UnitMemory } from './work-units.ts';

/** The runtime keeps a weight as it came and once more in the order its kernels read. */
const WEIGHT_COPIES = 2;

/**
 * What is kept of the shared network's values for the branches, with what has no weight between the layers and the working
 * set of the branch that runs: measured as 1.4 to 3 times the layers' outputs (ResNet-20 and -32, MobileNet, UltraFace), with
 * ten branches as with sixty, because branches run one after the other in the same memory.
 */
const OUTPUT_COPIES = 3;

/** A node with its kernel, its names and its place in the plan; measured with branches of UltraFace. */
const NODE_BYTES = 5_000;

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
    baseBytes: WEIGHT_COPIES * sumOf(all, 'weightBytes') + OUTPUT_COPIES * sumOf(all, 'outputBytes'),
    // All weights but its own a branch has in common with the shared network.
    branchBytes: candidates.map(({ perturbation }) => {
      const copied = dependentNodes(model.graph, [...perturbation.keys()]);
      const own = copied.filter(({ input }) => input.some((name) => perturbation.has(name)));
      const ownCosts = own.flatMap((node) => costs.get(node) ?? []);
      return WEIGHT_COPIES * sumOf(ownCosts, 'weightBytes') + NODE_BYTES * copied.length;
    }),
  };
}

function sumOf(costs: readonly NodeCost[], key: keyof NodeCost): number {
  return costs.reduce((sum, cost) => sum + cost[key], 0);
}
