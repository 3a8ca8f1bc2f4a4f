/**
 * Minimises a convex quadratic over the relaxed choices by simplicial decomposition: the fully corrective form of the
 * Frank–Wolfe method (von Hohenbalken 1977). The current point is the best mixture of the vertices found so far; a linear
 * program over the polytope finds the next vertex, and a bound with it: f is convex, so its minimum is at least
 * f(x) + min_v ∇f(x)·(v − x) at every x, whether the method has converged or not.
 */
import type { ChoicePolytope, LinearMinimum, SparsePoint } from './choice-polytope.ts';
import type { ConvexObjective } from './convexify.ts';
import { balanceWeights } from './simplex-weights.ts';

export type Relaxation = {
  /** Never above the objective of any choice in the polytope; +∞ if the polytope is empty. */
  readonly bound: number;
  /** Present unless the polytope is empty. */
  readonly minimum?: RelaxedMinimum;
};

export type RelaxedMinimum = {
  /** The last x, shape [variableCount]. */
  readonly point: Float64Array;
  readonly value: number;
  /** Where the bound was found: bound + reducedCost(v) bounds every choice that takes variable v. */
  readonly reducedCostBase: {
    readonly bound: number;
    readonly gradient: Float64Array;
    readonly multipliers: Float64Array;
  };
  /** The vertices that the point is a mixture of. */
  readonly vertices: readonly SparsePoint[];
};

export type RelaxationLimits = {
  /** The caller drops the polytope once its bound reaches this. */
  readonly cutoff: number;
  readonly stop: () => boolean;
};

/** Converged: what is left of the gap, as a share of the distance to the cutoff, cannot change the caller's decision. */
const GAP_SHARE_OF_DISTANCE = 0.1;
/** Also converged: the gap is rounding. */
const GAP_PRECISION = 1e-13;
/** A vertex below this weight has left the mixture. */
const LEAST_WEIGHT = 1e-12;
const MAX_VERTICES_ADDED = 2000;

/** Minimise, starting from the mixture of `vertices`, which must lie in the polytope; none is fine. */
export function minimiseRelaxation(
  objective: ConvexObjective,
  polytope: ChoicePolytope,
  vertices: readonly SparsePoint[],
  limits: RelaxationLimits,
): Relaxation {
  const mixture = new Mixture(objective);
  for (const vertex of vertices) mixture.add(vertex);
  if (vertices.length === 0) {
    const first = polytope.minimise(slopesAtRest(objective));
    if (first === undefined) return { bound: Number.POSITIVE_INFINITY };
    mixture.add(first.point);
  }
  let base: RelaxedMinimum['reducedCostBase'] | undefined;
  for (let added = 0; ; added++) {
    mixture.balance(base === undefined ? Number.POSITIVE_INFINITY : mixture.value - base.bound);
    const gradient = mixture.gradient();
    const next = polytope.minimise(gradient);
    if (next === undefined) return { bound: Number.POSITIVE_INFINITY };
    const bound = mixture.boundFrom(next);
    if (base === undefined || bound > base.bound) base = { bound, gradient, multipliers: next.multipliers };
    if (added >= MAX_VERTICES_ADDED || isDone(mixture.value, bound, base.bound, limits) || !mixture.add(next.point))
      break;
  }
  const { point, value } = mixture;
  return { bound: base.bound, minimum: { point, value, reducedCostBase: base, vertices: mixture.vertices() } };
}

function isDone(value: number, bound: number, best: number, limits: RelaxationLimits): boolean {
  if (best >= limits.cutoff || limits.stop()) return true;
  const gap = value - bound;
  return gap <= GAP_SHARE_OF_DISTANCE * (limits.cutoff - value) || gap <= GAP_PRECISION * Math.abs(value);
}

/** The slopes that a single choice pays for itself, to start from when nothing is known. */
function slopesAtRest({ quadratic, linear }: ConvexObjective): Float64Array {
  return linear.map((slope, variable) => slope + quadratic[variable * (linear.length + 1)]! / 2);
}

/** A weighted mean of vertices, with the products that make its objective cheap to follow. */
class Mixture {
  readonly #objective: ConvexObjective;
  #vertices: SparsePoint[] = [];
  /** Q·v of every vertex. */
  #products: Float64Array[] = [];
  #linear: number[] = [];
  /** vᵀQu of every two vertices. */
  #gram: Float64Array[] = [];
  #weights = new Float64Array(0);
  point: Float64Array;
  value = Number.POSITIVE_INFINITY;
  /** xᵀQx/2, which is what separates the value from the bound's intercept. */
  #curvature = 0;
  #pointProduct: Float64Array;

  constructor(objective: ConvexObjective) {
    this.#objective = objective;
    this.point = new Float64Array(objective.linear.length);
    this.#pointProduct = new Float64Array(objective.linear.length);
  }

  /** Add a vertex with weight 0 (the first one gets all); false if it is there already. */
  add(vertex: SparsePoint): boolean {
    if (this.#vertices.some((known) => samePoint(known, vertex))) return false;
    const product = multiply(this.#objective, vertex);
    this.#vertices.push(vertex);
    this.#products.push(product);
    this.#linear.push(sparseDot(vertex, this.#objective.linear));
    const row = Float64Array.from(this.#vertices, (other) => sparseDot(other, product));
    this.#gram = this.#gram.map((old, index) => Float64Array.of(...old, row[index]!));
    this.#gram.push(row);
    this.#weights = Float64Array.of(...this.#weights, this.#weights.length === 0 ? 1 : 0);
    return true;
  }

  /** Move to the best mixture, far more precisely than the gap that is left, and forget vertices that fell out. */
  balance(gap: number): void {
    const tolerance = Math.max(0.01 * Math.min(gap, Math.abs(this.value)), 0);
    balanceWeights(this.#gram, this.#linear, this.#weights, Number.isFinite(tolerance) ? tolerance : 0);
    this.#dropUnused();
    this.#evaluate();
  }

  gradient(): Float64Array {
    return this.#objective.linear.map((slope, variable) => slope + this.#pointProduct[variable]!);
  }

  /** f(x) + min_v ∇f(x)·(v − x), where f(x) − ∇f(x)·x is −½ xᵀQx. */
  boundFrom({ bound }: LinearMinimum): number {
    return bound - this.#curvature;
  }

  vertices(): readonly SparsePoint[] {
    return this.#vertices;
  }

  #dropUnused(): void {
    const kept = [...this.#weights.keys()].filter((index) => this.#weights[index]! > LEAST_WEIGHT);
    if (kept.length === this.#weights.length) return;
    const pick = <T>(list: readonly T[]): T[] => kept.map((index) => list[index]!);
    this.#vertices = pick(this.#vertices);
    this.#products = pick(this.#products);
    this.#linear = pick(this.#linear);
    this.#gram = pick(this.#gram).map((row) => Float64Array.from(kept, (index) => row[index]!));
    const weights = Float64Array.from(kept, (index) => this.#weights[index]!);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#weights = weights.map((weight) => weight / total);
  }

  #evaluate(): void {
    this.point = new Float64Array(this.point.length);
    this.#pointProduct = new Float64Array(this.point.length);
    this.#vertices.forEach((vertex, index) => {
      const weight = this.#weights[index]!;
      const { indices, values } = vertex;
      for (let entry = 0; entry < indices.length; entry++) this.point[indices[entry]!]! += weight * values[entry]!;
      addScaled(this.#pointProduct, this.#products[index]!, weight);
    });
    const { linear } = this.#objective;
    let [curvature, slope] = [0, 0];
    for (let variable = 0; variable < linear.length; variable++) {
      curvature += (this.point[variable]! * this.#pointProduct[variable]!) / 2;
      slope += this.point[variable]! * linear[variable]!;
    }
    this.#curvature = curvature;
    this.value = curvature + slope;
  }
}

function multiply({ quadratic, linear }: ConvexObjective, { indices, values }: SparsePoint): Float64Array {
  const size = linear.length;
  const product = new Float64Array(size);
  for (let entry = 0; entry < indices.length; entry++) {
    const start = indices[entry]! * size;
    const value = values[entry]!;
    for (let column = 0; column < size; column++) product[column]! += value * quadratic[start + column]!;
  }
  return product;
}

function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let index = 0; index < target.length; index++) target[index]! += factor * source[index]!;
}

function sparseDot({ indices, values }: SparsePoint, dense: Float64Array): number {
  let sum = 0;
  for (let entry = 0; entry < indices.length; entry++) sum += values[entry]! * dense[indices[entry]!]!;
  return sum;
}

function samePoint(first: SparsePoint, second: SparsePoint): boolean {
  if (first.indices.length !== second.indices.length) return false;
  return first.indices.every((index, at) => index === second.indices[at] && first.values[at] === second.values[at]);
}
