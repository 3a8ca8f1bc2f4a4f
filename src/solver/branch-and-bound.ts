/**
 * Best-first branch and bound over the convex relaxation. The node of least bound is made convex and relaxed; its point is rounded and
 * searched locally for a better incumbent; what cannot beat the incumbent is cut away, and the rest is split in two.
 * The least bound of all that is open or was closed bounds every assignment.
 */
import { ChoicePolytope } from './choice-polytope.ts';
import { minimiseRelaxation, type RelaxedMinimum } from './convex-relaxation.ts';
import type { Convexification, ConvexObjective } from './convexify.ts';
import type { IndexedProgram } from './indexed-program.ts';
import { better, choiceIfFeasible, descendFrom, type Incumbent } from './local-search.ts';
import { PriorityQueue } from './priority-queue.ts';
import { cutoffFor } from './relative-gap.ts';
import { forbidUnaffordable, forbidUnprofitable, type SearchNode, splitNode } from './search-node.ts';

export type SearchLimits = {
  readonly relativeGap: number;
  /** The search ends after so many nodes. */
  readonly nodeCount?: number;
  /** Asked often; the search ends early when it says true. */
  readonly stop: () => boolean;
  /** Told of every better incumbent and, from time to time, of a better bound. */
  readonly report: (incumbent: Incumbent | undefined, bestBound: number) => void;
};

export type SearchResult = {
  /** Absent if none was found. */
  readonly incumbent: Incumbent | undefined;
  /** Never above the objective of any feasible assignment; +∞ if there is none. */
  readonly bestBound: number;
  readonly nodeCount: number;
};

/** Every node is rounded while few have been seen, then every eighth: later roundings seldom win. */
const ALWAYS_ROUNDED_NODES = 40;
const ROUNDING_INTERVAL = 8;
const REPORT_INTERVAL_NODES = 50;
/** Open nodes are kept below about this many bytes; the search ends with its gap when they are more. */
const MAX_OPEN_BYTES = 400e6;
const BYTES_PER_VERTEX_ENTRY = 12;
const TYPICAL_VERTICES_PER_NODE = 20;

/**
 * Search for the optimum of `program`.
 *
 * @param incumbent a feasible choice to start from, if one is known
 * @param leastBound a bound that is already known, finite
 */
export function branchAndBound(
  program: IndexedProgram,
  convexification: Convexification,
  incumbent: Incumbent | undefined,
  leastBound: number,
  limits: SearchLimits,
): SearchResult {
  const search = new Search(program, convexification, incumbent, limits);
  return search.run({ bound: leastBound, allowed: new Uint8Array(program.variableCount).fill(1), vertices: [] });
}

class Search {
  readonly #program: IndexedProgram;
  readonly #convexification: Convexification;
  readonly #limits: SearchLimits;
  readonly #open = new PriorityQueue<SearchNode>((node) => node.bound);
  #incumbent: Incumbent | undefined;
  /** Least bound of all that was closed. */
  #closedBound = Number.POSITIVE_INFINITY;
  /** Bound of the node that was taken out and is being explored. */
  #exploredBound = Number.POSITIVE_INFINITY;
  #nodeCount = 0;

  constructor(
    program: IndexedProgram,
    convexification: Convexification,
    incumbent: Incumbent | undefined,
    limits: SearchLimits,
  ) {
    this.#program = program;
    this.#convexification = convexification;
    this.#incumbent = incumbent;
    this.#limits = limits;
  }

  run(root: SearchNode): SearchResult {
    this.#open.push(root);
    while (this.#open.leastKey < this.#cutoff() && !this.#mustEnd()) {
      const node = this.#open.pop()!;
      this.#exploredBound = node.bound;
      this.#explore(node);
      this.#exploredBound = Number.POSITIVE_INFINITY;
      if (this.#nodeCount % REPORT_INTERVAL_NODES === 1) this.#limits.report(this.#incumbent, this.#bestBound());
    }
    return { incumbent: this.#incumbent, bestBound: this.#bestBound(), nodeCount: this.#nodeCount };
  }

  #explore(node: SearchNode): void {
    this.#nodeCount++;
    if (!forbidUnaffordable(this.#program, node.allowed)) return;
    const polytope = new ChoicePolytope(this.#program, node.allowed);
    const limits = { cutoff: this.#cutoff(), stop: this.#limits.stop };
    const { objective, factor } = this.#convexification.objectiveWithin(node.allowed, node.factor);
    const { bound, minimum } = minimiseRelaxation(objective, polytope, node.vertices, limits);
    if (minimum === undefined) return;
    const relaxed = { ...node, factor, bound: Math.max(node.bound, bound) };
    this.#improveIncumbent(minimum);
    if (relaxed.bound >= this.#cutoff()) this.#close(relaxed.bound);
    else this.#branch(relaxed, objective, minimum);
  }

  #branch(node: SearchNode, objective: ConvexObjective, minimum: RelaxedMinimum): void {
    this.#close(forbidUnprofitable(this.#program, node.allowed, minimum.reducedCostBase, this.#cutoff()));
    const halves = splitNode(this.#program, objective, node, minimum);
    if (halves === undefined) this.#closeSingle(node.allowed);
    else for (const half of halves) this.#open.push(half);
  }

  /** A node with one choice left, or none: its bound is its objective. */
  #closeSingle(allowed: Uint8Array): void {
    const chosen = [...allowed.keys()].filter((variable) => allowed[variable] === 1);
    if (chosen.length < this.#program.groupCount) return;
    const single = choiceIfFeasible(this.#program, chosen);
    if (single === undefined) return;
    this.#offer(single);
    this.#close(single.objective);
  }

  #improveIncumbent({ point }: RelaxedMinimum): void {
    if (this.#nodeCount > ALWAYS_ROUNDED_NODES && this.#nodeCount % ROUNDING_INTERVAL !== 0) return;
    this.#offer(descendFrom(this.#program, rounded(this.#program, point), this.#limits.stop));
  }

  #offer(candidate: Incumbent | undefined): void {
    const best = better(this.#incumbent, candidate);
    if (best === this.#incumbent) return;
    this.#incumbent = best;
    this.#limits.report(best, this.#bestBound());
  }

  #close(bound: number): void {
    this.#closedBound = Math.min(this.#closedBound, bound);
  }

  #cutoff(): number {
    return cutoffFor(this.#incumbent?.objective, this.#limits.relativeGap);
  }

  #bestBound(): number {
    const incumbent = this.#incumbent?.objective ?? Number.POSITIVE_INFINITY;
    return Math.min(this.#open.leastKey, this.#closedBound, this.#exploredBound, incumbent);
  }

  #mustEnd(): boolean {
    const { nodeCount = Number.POSITIVE_INFINITY, stop } = this.#limits;
    return this.#nodeCount >= nodeCount || stop() || this.#isTooLarge();
  }

  #isTooLarge(): boolean {
    const { variableCount, groupCount } = this.#program;
    const bytesPerNode = variableCount + TYPICAL_VERTICES_PER_NODE * groupCount * BYTES_PER_VERTEX_ENTRY;
    return this.#open.size * bytesPerNode > MAX_OPEN_BYTES;
  }
}

/** The variable of largest share in every group. */
function rounded({ groupCount, offsets }: IndexedProgram, point: Float64Array): Int32Array {
  return Int32Array.from({ length: groupCount }, (_, group) => {
    let best = offsets[group]!;
    for (let variable = best; variable < offsets[group + 1]!; variable++)
      if (point[variable]! > point[best]!) best = variable;
    return best;
  });
}
