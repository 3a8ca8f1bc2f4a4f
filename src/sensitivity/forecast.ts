/** What a sweep will cost, before it runs. */
import type { Model } from '../onnx/model.ts';
import { dependentNodes } from './branch-graph.ts';
import type { Candidate } from './candidates.ts';
import { type LayerCosts, totalOperations } from './layer-costs.ts';
import type { WorkUnit } from './work-units.ts';

export type Forecast = {
  readonly perturbations: number;
  /** In forwards of the float model over the calibration set. */
  readonly forwardEquivalents: number;
};

/** Each unit runs the shared network once, at most whole, and for every branch what depends on it. */
export function forecastSweep(
  model: Model,
  candidates: readonly Candidate[],
  costs: LayerCosts,
  units: readonly WorkUnit[],
): Forecast {
  const total = totalOperations(costs);
  const shares = candidates.map(({ perturbation }) =>
    dependentNodes(model.graph, [...perturbation.keys()]).reduce(
      (sum, node) => sum + (costs.get(node)?.operations ?? 0) / total,
      0,
    ),
  );
  let [perturbations, forwardEquivalents] = [0, 0];
  for (const { branches, measuresBase } of units) {
    perturbations += branches.length + (measuresBase ? 1 : 0);
    forwardEquivalents += branches.reduce((sum, variable) => sum + shares[variable]!, 1);
  }
  return { perturbations, forwardEquivalents };
}
