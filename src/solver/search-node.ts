/** A part of the search: the choices that use allowed variables only. */
import type { SparsePoint } from './choice-polytope.ts';
import type { RelaxedMinimum } from './convex-relaxation.ts';
import type { ConvexObjective } from './convexify.ts';
import type { IndexedProgram } from './indexed-program.ts';

export type SearchNode = {
  /** Never above the objective of any choice in the node. */
  readonly bound: number;
  /** 1 for each variable that may be taken, shape [variableCount]. */
  readonly allowed: Uint8Array;
  /** The factor that made the objective convex in a node around this one; absent at the root. */
  readonly factor?: number;
  /** Vertices of the node's polytope to start its relaxation from. */
  readonly vertices: readonly SparsePoint[];
};

/**
 * Forbid the variables that no choice inside the limits can take, given what is allowed elsewhere.
 *
 * @returns false if some group has nothing left: the node is empty
 */
export function forbidUnaffordable(program: IndexedProgram, allowed: Uint8Array): boolean {
  for (const { costs, limit } of program.rows) {
    const least = leastOfGroups(program, allowed, costs);
    const total = least.reduce((sum, cost) => sum + cost, 0);
    if (total > limit) return false;
    for (let variable = 0; variable < allowed.length; variable++) {
      if (total - least[program.groupOf[variable]!]! + costs[variable]! > limit) allowed[variable] = 0;
    }
  }
  return leastOfGroups(program, allowed, new Float64Array(allowed.length)).every(Number.isFinite);
}

/**
 * Forbid the variables that cannot be in a choice better than the cutoff. The relaxation's linear bound grows by a
 * variable's reduced cost when the variable is taken.
 *
 * @returns the least bound of what was cut away, +∞ if nothing was
 */
export function forbidUnprofitable(
  program: IndexedProgram,
  allowed: Uint8Array,
  { bound, gradient, multipliers }: RelaxedMinimum['reducedCostBase'],
  cutoff: number,
): number {
  const prices = gradient.map((slope, variable) =>
    program.rows.reduce((sum, { costs }, row) => sum + multipliers[row]! * costs[variable]!, slope),
  );
  const least = leastOfGroups(program, allowed, prices);
  let cutAway = Number.POSITIVE_INFINITY;
  for (let variable = 0; variable < allowed.length; variable++) {
    const boundIfTaken = bound + prices[variable]! - least[program.groupOf[variable]!]!;
    if (allowed[variable] === 0 || boundIfTaken < cutoff) continue;
    allowed[variable] = 0;
    cutAway = Math.min(cutAway, boundIfTaken);
  }
  return cutAway;
}

/**
 * Two halves of a node: the group whose split counts most for the objective takes its largest variable, or never does.
 * Undefined if every group has one variable left.
 */
export function splitNode(
  program: IndexedProgram,
  objective: ConvexObjective,
  { allowed, vertices: _, ...common }: SearchNode,
  { point, vertices }: RelaxedMinimum,
): readonly [SearchNode, SearchNode] | undefined {
  const group = mostDivided(program, objective, allowed, point);
  if (group < 0) return undefined;
  const variable = largestOf(program, allowed, point, group);
  const taken = allowed.slice();
  taken.fill(0, program.offsets[group], program.offsets[group + 1]);
  taken[variable] = 1;
  const refused = allowed.slice();
  refused[variable] = 0;
  const half = (part: Uint8Array) => ({ ...common, allowed: part, vertices: vertices.filter((v) => uses(v, part)) });
  return [half(taken), half(refused)];
}

function uses({ indices }: SparsePoint, allowed: Uint8Array): boolean {
  return indices.every((variable) => allowed[variable] === 1);
}

/** The group of largest Σ x(1 − x)·Q among those with a choice left; any such group when x is whole. */
function mostDivided(
  { groupCount, offsets, variableCount }: IndexedProgram,
  { quadratic }: ConvexObjective,
  allowed: Uint8Array,
  point: Float64Array,
): number {
  let [best, most] = [-1, -1];
  for (let group = 0; group < groupCount; group++) {
    let [weight, count] = [0, 0];
    for (let variable = offsets[group]!; variable < offsets[group + 1]!; variable++) {
      const x = point[variable]!;
      // The small constant ranks the groups of a linear objective, whose Q is zero.
      weight += Math.max(0, x * (1 - x)) * (quadratic[variable * (variableCount + 1)]! + Number.EPSILON);
      count += allowed[variable]!;
    }
    if (count > 1 && weight > most) [best, most] = [group, weight];
  }
  return best;
}

function largestOf({ offsets }: IndexedProgram, allowed: Uint8Array, point: Float64Array, group: number): number {
  let best = -1;
  for (let variable = offsets[group]!; variable < offsets[group + 1]!; variable++) {
    if (allowed[variable] === 1 && (best < 0 || point[variable]! > point[best]!)) best = variable;
  }
  return best;
}

/** The least value among the allowed variables of each group, +∞ where there is none. */
function leastOfGroups(
  { groupCount, offsets }: IndexedProgram,
  allowed: Uint8Array,
  values: Float64Array,
): Float64Array {
  const least = new Float64Array(groupCount).fill(Number.POSITIVE_INFINITY);
  for (let group = 0; group < groupCount; group++) {
    for (let variable = offsets[group]!; variable < offsets[group + 1]!; variable++) {
      if (allowed[variable] === 1) least[group] = Math.min(least[group]!, values[variable]!);
    }
  }
  return least;
}
