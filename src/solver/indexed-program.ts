/** A quadratic program laid out for search: plain arrays indexed by variable, only the constraints that can bind. */
import { roundedLimit } from '../program/evaluate-assignment.ts';
import type { LinearConstraint, QuadraticProgram } from '../program/quadratic-program.ts';
import { variableOffsets } from '../program/variables.ts';

export type IndexedProgram = {
  readonly source: QuadraticProgram;
  readonly groupCount: number;
  readonly variableCount: number;
  /** First variable of each group, shape [groupCount + 1]. */
  readonly offsets: Int32Array;
  /** Shape [variableCount]. */
  readonly groupOf: Int32Array;
  /** G, shape [variableCount, variableCount]. */
  readonly quadratic: Float64Array;
  /** Largest magnitude in G. */
  readonly scale: number;
  readonly rows: readonly Row[];
};

/** Σ cost·x ≤ limit, divided by a positive number so that rows of different units compare. */
export type Row = {
  /** Shape [variableCount]. */
  readonly costs: Float64Array;
  /** With the room that rounding needs. */
  readonly limit: number;
};

export function indexProgram(source: QuadraticProgram): IndexedProgram {
  const offsets = variableOffsets(source.groupSizes);
  const groupCount = source.groupSizes.length;
  const variableCount = offsets[groupCount]!;
  const groupOf = new Int32Array(variableCount);
  for (let group = 0; group < groupCount; group++) groupOf.fill(group, offsets[group], offsets[group + 1]);
  const rows = source.constraints.filter((constraint) => canBind(constraint, offsets)).map(scaledRow);
  const { quadratic } = source;
  const scale = quadratic.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
  return { source, groupCount, variableCount, offsets, groupOf, quadratic, scale, rows };
}

/** Σ of the chosen variables' costs. */
export function loadOf(row: Row, chosen: ArrayLike<number>): number {
  let load = 0;
  for (let group = 0; group < chosen.length; group++) load += row.costs[chosen[group]!]!;
  return load;
}

/** ½ xᵀGx of the one-hot x that takes these variables. */
export function objectiveOfChoice({ quadratic, variableCount }: IndexedProgram, chosen: ArrayLike<number>): number {
  let sum = 0;
  for (let group = 0; group < chosen.length; group++) {
    const row = chosen[group]! * variableCount;
    sum += quadratic[row + chosen[group]!]! / 2;
    for (let other = 0; other < group; other++) sum += quadratic[row + chosen[other]!]!;
  }
  return sum;
}

function canBind(constraint: LinearConstraint, offsets: Int32Array): boolean {
  let most = 0;
  for (let group = 0; group + 1 < offsets.length; group++) {
    most += Math.max(...constraint.costs.subarray(offsets[group], offsets[group + 1]));
  }
  return most > roundedLimit(constraint);
}

function scaledRow(constraint: LinearConstraint): Row {
  const limit = roundedLimit(constraint);
  const scale = constraint.costs.reduce((most, cost) => Math.max(most, Math.abs(cost)), Math.abs(limit)) || 1;
  return { costs: constraint.costs.map((cost) => cost / scale), limit: limit / scale };
}
