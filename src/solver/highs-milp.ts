/** Solves mixed-integer linear programs with HiGHS, the only place that speaks to it. */
import type { Highs, Model, ModelData } from 'highs';
import type { MixedIntegerProgram } from '../program/mixed-integer-program.ts';

export type MilpLimits = {
  readonly timeLimitSeconds: number;
  /** (objective − bound) / |objective| at which the solve ends. */
  readonly relativeGap: number;
  /** Asked often; the solve ends early when it says true. */
  readonly stop: () => boolean;
  /** Told of every better bound. */
  readonly reportBound: (bound: number) => void;
};

export type MilpResult =
  | {
      readonly status: 'solved';
      /** Column values, binaries exactly 0 or 1; absent if no solution was found before the solve ended. */
      readonly columns?: Float64Array;
      /** Never above the objective of any solution, up to the tolerances of HiGHS; −∞ if nothing is known. */
      readonly bound: number;
      readonly nodeCount: number;
    }
  | { readonly status: 'infeasible' };

export type SolveMilp = (mip: MixedIntegerProgram, start: Float64Array | undefined, limits: MilpLimits) => MilpResult;

/** How far from a whole number a binary may be (HiGHS's mip_feasibility_tolerance). */
const INTEGRALITY_TOLERANCE = 1e-6;
/** HiGHS's tolerances are absolute; the largest cost is scaled to about this, so that small ones still count. */
const SCALED_LARGEST_COST = 1e4;

/**
 * Solve by HiGHS's branch and cut. Blocks until it ends.
 *
 * @param start column values of a feasible solution to begin with
 * @throws Error if HiGHS fails, or if a binary of its solution is not within tolerance of 0 or 1
 */
export function solveMilp(
  highs: Highs,
  mip: MixedIntegerProgram,
  start: Float64Array | undefined,
  limits: MilpLimits,
): MilpResult {
  const scale = costScale(mip);
  return highs.withModel(modelData(highs, mip, scale), (model) => {
    setOptions(model, limits);
    if (start !== undefined) model.setSolution({ colValue: start });
    runInterruptibly(highs, model, scale, limits);
    return readResult(highs, model, mip, scale);
  });
}

/** A power of two, so that scaling rounds nothing. */
function costScale({ columnCosts }: MixedIntegerProgram): number {
  const largest = columnCosts.reduce((most, cost) => Math.max(most, Math.abs(cost)), 0);
  return largest === 0 ? 1 : 2 ** Math.round(Math.log2(SCALED_LARGEST_COST / largest));
}

function modelData(highs: Highs, mip: MixedIntegerProgram, scale: number): ModelData {
  const { continuous, integer } = highs.constants.variableType;
  const rowScales = scalesOfRows(mip);
  const isBinary = (column: number) => column < mip.binaryCount;
  return {
    numCols: mip.columnCount,
    numRows: mip.rowCount,
    colCost: mip.columnCosts.map((cost) => cost * scale),
    colLower: new Float64Array(mip.columnCount),
    colUpper: new Float64Array(mip.columnCount).map((_, column) => (isBinary(column) ? 1 : highs.infinity)),
    rowLower: mip.rowLower.map((lower, row) => lower * rowScales[row]!),
    rowUpper: mip.rowUpper.map((upper, row) => upper * rowScales[row]!),
    integrality: Int32Array.from({ length: mip.columnCount }, (_, column) => (isBinary(column) ? integer : continuous)),
    matrix: {
      format: 'csr',
      numRows: mip.rowCount,
      numCols: mip.columnCount,
      starts: mip.matrix.rowStarts,
      indices: mip.matrix.columns,
      values: scaledValues(mip, rowScales),
    },
  };
}

/** Powers of two that bring the largest coefficient of every row near 1: a limit in seconds or in bytes is as tight. */
function scalesOfRows({ rowCount, matrix }: MixedIntegerProgram): Float64Array {
  return Float64Array.from({ length: rowCount }, (_, row) => {
    const values = matrix.values.subarray(matrix.rowStarts[row], matrix.rowStarts[row + 1]);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return largest === 0 ? 1 : 2 ** -Math.round(Math.log2(largest));
  });
}

function scaledValues({ rowCount, matrix }: MixedIntegerProgram, rowScales: Float64Array): Float64Array {
  const values = matrix.values.slice();
  for (let row = 0; row < rowCount; row++) {
    for (let at = matrix.rowStarts[row]!; at < matrix.rowStarts[row + 1]!; at++) values[at]! *= rowScales[row]!;
  }
  return values;
}

function setOptions(model: Model, limits: MilpLimits): void {
  model.options.set({
    output_flag: false,
    // Presolve of HiGHS 1.15 hung on 2 of 600 random programs, deaf to its time limit, and sped up none that was measured.
    presolve: 'off',
    random_seed: 0,
    time_limit: limits.timeLimitSeconds,
    mip_rel_gap: limits.relativeGap,
    mip_abs_gap: 0,
    mip_feasibility_tolerance: INTEGRALITY_TOLERANCE,
  });
}

function runInterruptibly(highs: Highs, model: Model, scale: number, limits: MilpLimits): void {
  const { mipInterrupt, simplexInterrupt } = highs.constants.callbackType;
  let bestBound = Number.NEGATIVE_INFINITY;
  model.run({
    [simplexInterrupt](event) {
      if (limits.stop()) event.interrupt();
    },
    [mipInterrupt](event) {
      const bound = (event.data.mip_dual_bound ?? Number.NEGATIVE_INFINITY) / scale;
      if (bound > bestBound && Number.isFinite(bound)) {
        bestBound = bound;
        limits.reportBound(bound);
      }
      if (limits.stop()) event.interrupt();
    },
  });
}

function readResult(highs: Highs, model: Model, mip: MixedIntegerProgram, scale: number): MilpResult {
  const status = model.getModelStatus();
  const { optimal, infeasible, timeLimit, interrupted } = highs.constants.modelStatus;
  if (status === infeasible) return { status: 'infeasible' };
  if (status !== optimal && status !== timeLimit && status !== interrupted) {
    throw new Error(`HiGHS ended with model status ${nameOfStatus(highs, status)}, expected optimal or a limit`);
  }
  const bound = Number(model.info.get('mip_dual_bound')) / scale;
  const nodeCount = Math.max(0, Number(model.info.get('mip_node_count')));
  const hasSolution = model.info.get('primal_solution_status') === highs.constants.solutionStatus.feasible;
  if (!hasSolution) return { status: 'solved', bound, nodeCount };
  return { status: 'solved', columns: roundBinaries(mip, model.getSolution().colValue), bound, nodeCount };
}

/**
 * Column values with the binaries exactly 0 or 1.
 *
 * @throws Error if one is further from both than HiGHS's tolerance: the answer would be another program's
 */
export function roundBinaries(mip: MixedIntegerProgram, columns: Float64Array): Float64Array {
  return columns.map((value, column) => {
    if (column >= mip.binaryCount) return value;
    const whole = value > 0.5 ? 1 : 0;
    if (Math.abs(value - whole) <= INTEGRALITY_TOLERANCE) return whole;
    throw new Error(
      `HiGHS answered ${value} for binary column ${column}, expected 0 or 1 within ${INTEGRALITY_TOLERANCE}`,
    );
  });
}

function nameOfStatus(highs: Highs, status: number): string {
  const names = Object.entries(highs.constants.modelStatus);
  return names.find(([, code]) => code === status)?.[0] ?? `${status}`;
}
