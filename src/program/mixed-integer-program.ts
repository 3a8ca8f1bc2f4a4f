/**
 * Minimise cost·v over columns v ≥ 0 with rowLower ≤ A v ≤ rowUpper; the first `binaryCount` columns take only 0 and 1,
 * the others are continuous.
 */
export type MixedIntegerProgram = {
  readonly columnCount: number;
  readonly rowCount: number;
  readonly binaryCount: number;
  /** Shape [columnCount]. */
  readonly columnCosts: Float64Array;
  /** Shape [rowCount]; equal bounds make an equation, −∞ a limit from above only. */
  readonly rowLower: Float64Array;
  readonly rowUpper: Float64Array;
  /** Compressed sparse rows of A. */
  readonly matrix: SparseRows;
};

/** Row r holds the entries rowStarts[r] … rowStarts[r + 1] − 1. */
export type SparseRows = {
  /** Shape [rowCount + 1]. */
  readonly rowStarts: Int32Array;
  /** Shape [entryCount]. */
  readonly columns: Int32Array;
  /** Shape [entryCount]. */
  readonly values: Float64Array;
};
