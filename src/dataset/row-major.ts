import type { NpyData } from './npy-array.ts';

/**
 * The elements of an array stored column by column (`fortran_order`), row by row.
 *
 * @param elements the first index running fastest, shape `dims`
 * @returns the last index running fastest, shape `dims`
 */
export function rowMajor<Data extends NpyData>(elements: Data, dims: readonly number[]): Data {
  const strides = dims.map((_, axis) => dims.slice(0, axis).reduce((product, dim) => product * dim, 1));
  const indices = dims.map(() => 0);
  const reordered = elements.slice() as Data;
  let from = 0;
  for (let to = 0; to < elements.length; to++) {
    reordered[to] = elements[from]!;
    // Count up like an odometer, the last axis first.
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      indices[axis]!++;
      if (indices[axis]! < dims[axis]!) break;
      from -= strides[axis]! * dims[axis]!;
      indices[axis] = 0;
    }
  }
  return reordered;
}
