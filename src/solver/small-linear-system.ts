/**
 * Solve A·x = rhs by Gaussian elimination with row pivoting, for the few rows that a basis has.
 *
 * @param matrix rows of A, shape [size][size]; not changed
 * @returns undefined if A is singular
 */
export function solveLinearSystem(
  matrix: readonly ArrayLike<number>[],
  rhs: ArrayLike<number>,
): Float64Array | undefined {
  const rows = matrix.map((row, index) => Float64Array.from([...Array.from(row), rhs[index]!]));
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    const pivot = pivotRow(rows, column);
    if (rows[pivot]![column] === 0) return undefined;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let row = 0; row < size; row++) {
      if (row !== column) subtract(rows[row]!, rows[column]!, rows[row]![column]! / rows[column]![column]!);
    }
  }
  return Float64Array.from(rows, (row, index) => row[size]! / row[index]!);
}

function pivotRow(rows: readonly Float64Array[], column: number): number {
  let best = column;
  for (let row = column + 1; row < rows.length; row++) {
    if (Math.abs(rows[row]![column]!) > Math.abs(rows[best]![column]!)) best = row;
  }
  return best;
}

function subtract(target: Float64Array, source: Float64Array, factor: number): void {
  for (let index = 0; index < target.length; index++) target[index]! -= factor * source[index]!;
}
