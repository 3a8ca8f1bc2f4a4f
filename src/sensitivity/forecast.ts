/** What a sweep will cost, before it runs. */
import type { Model } from '../onnx/model.ts';
import { dependentNodes } from './branch-graph.ts';
import type { Candidate } from './candidates.ts';
import { type LayerCosts, totalOperations } from './layer-costs.ts';
import { estimateUnitMemory } from './unit-memory.ts';
import type { WorkUnit } from './work-units.ts';

/** What one unit does; the same on every machine. */
export type UnitCost = {
  /** Networks whose losses it gives. */
  readonly perturbations: number;
  /** In forwards of the float model over the samples. */
  readonly forwardEquivalents: number;
  /** Nodes of its session, over those of the float model. */
  readonly sessionSize: number;
  /** What its session takes. */
  readonly memoryBytes: number;
};

/** How fast a machine is, found with the float model. */
export type MachineTimes = {
  /** One forward over all samples, in a session that has run before. */
  readonly forwardSeconds: number;
  /** To make a session. */
  readonly openSeconds: number;
  /** What the first runs of a session take longer than later ones. */
  readonly warmUpSeconds: number;
  /** The losses of one network on all samples. */
  readonly lossSeconds: number;
};

export type Forecast = {
  readonly perturbations: number;
  /** In forwards of the float model over the samples. */
  readonly forwardEquivalents: number;
  readonly seconds: number;
  /** Of the largest session. */
  readonly memoryBytes: number;
};

export type CostInput = {
  readonly model: Model;
  readonly candidates: readonly Candidate[];
  readonly costs: LayerCosts;
};

/** Each unit runs the shared network once, at most whole, and for every branch what depends on it. */
export function estimateUnits({ model, candidates, costs }: CostInput, units: readonly WorkUnit[]): UnitCost[] {
  const total = totalOperations(costs);
  const memory = estimateUnitMemory(model, candidates, costs, Number.POSITIVE_INFINITY);
  const dependent = candidates.map(({ perturbation }) => dependentNodes(model.graph, [...perturbation.keys()]));
  const work = dependent.map((nodes) =>
    nodes.reduce((sum, node) => sum + (costs.get(node)?.operations ?? 0) / total, 0),
  );
  return units.map(({ branches, measuresBase }) => ({
    perturbations: branches.length + (measuresBase ? 1 : 0),
    forwardEquivalents: branches.reduce((sum, variable) => sum + work[variable]!, 1),
    sessionSize: branches.reduce((sum, variable) => sum + dependent[variable]!.length / model.graph.node.length, 1),
    memoryBytes: branches.reduce((sum, variable) => sum + memory.branchBytes[variable]!, memory.baseBytes),
  }));
}

/**
 * How much more memory a session with branches touches in its first runs than the float model's, whose values take turns in
 * one place: measured as 2 to 4 times on MobileNet, where it matters, and up to 10 on ResNet-20, hardly more with more branches.
 */
const WARM_UP_RATIO = 3;

/** A session is made in the time that its nodes take, and runs slowly at first; then come the forwards, and the losses. */
export function forecastSweep(units: readonly UnitCost[], times: MachineTimes): Forecast {
  const sum = (of: (unit: UnitCost) => number) => units.reduce((total, unit) => total + of(unit), 0);
  const [perturbations, forwardEquivalents] = [
    sum((unit) => unit.perturbations),
    sum((unit) => unit.forwardEquivalents),
  ];
  return {
    perturbations,
    forwardEquivalents,
    seconds:
      forwardEquivalents * times.forwardSeconds +
      sum(({ sessionSize }) => sessionSize) * times.openSeconds +
      units.length * WARM_UP_RATIO * times.warmUpSeconds +
      perturbations * times.lossSeconds,
    memoryBytes: Math.max(0, ...units.map(({ memoryBytes }) => memoryBytes)),
  };
}
