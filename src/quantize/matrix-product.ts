/** A dense matrix in row-major order, values of shape [rowCount, columnCount]. */
export type Matrix = {
  readonly values: Float64Array;
  readonly rowCount: number;
  readonly columnCount: number;
};

/**
 * The product of two matrices in float64, shape [left.rowCount, right.columnCount]. It is injected: the runtime multiplies an
 * order of magnitude faster than JavaScript, and in parallel.
 */
export type MultiplyMatrices = (left: Matrix, right: Matrix) => Promise<Float64Array>;

/** Positions from `start` up to `end`. */
export type Range = { readonly start: number; readonly end: number };

/**
 * Some rows and columns of a square matrix, as a matrix of its own.
 *
 * @param scratch where it is put, large enough; memory that was used before is much faster than new
 */
export function copyBlock(
  values: Float64Array,
  size: number,
  rows: Range,
  columns: Range,
  scratch?: Float64Array,
): Matrix {
  const rowCount = rows.end - rows.start;
  const columnCount = columns.end - columns.start;
  const block = scratch?.subarray(0, rowCount * columnCount) ?? new Float64Array(rowCount * columnCount);
  for (let row = 0; row < rowCount; row++) {
    const start = (rows.start + row) * size;
    block.set(values.subarray(start + columns.start, start + columns.end), row * columnCount);
  }
  return { values: block, rowCount, columnCount };
}

export function transposed({ values, rowCount, columnCount }: Matrix): Matrix {
  const turned = new Float64Array(values.length);
  for (let row = 0; row < rowCount; row++) {
    for (let column = 0; column < columnCount; column++) {
      turned[column * rowCount + row] = values[row * columnCount + column]!;
    }
  }
  return { values: turned, rowCount: columnCount, columnCount: rowCount };
}

/** Multiplications below which a call to the runtime takes longer than the loops. */
const SMALL_PRODUCT = 2 ** 16;

/** Multiply small matrices here, and others as given. */
export function withSmallProducts(multiply: MultiplyMatrices): MultiplyMatrices {
  return async (left, right) => {
    const isSmall = left.values.length * right.columnCount <= SMALL_PRODUCT;
    return isSmall ? multiplyByLoops(left, right) : multiply(left, right);
  };
}

/** The product by plain loops. */
export function multiplyByLoops(left: Matrix, right: Matrix): Float64Array {
  const { rowCount, columnCount: innerCount } = left;
  const { columnCount } = right;
  const product = new Float64Array(rowCount * columnCount);
  for (let row = 0; row < rowCount; row++) {
    for (let inner = 0; inner < innerCount; inner++) {
      const factor = left.values[row * innerCount + inner]!;
      const source = inner * columnCount;
      const target = row * columnCount;
      for (let column = 0; column < columnCount; column++) {
        product[target + column]! += factor * right.values[source + column]!;
      }
    }
  }
  return product;
}
