/** The element types that cross the border to a session, named as onnxruntime names them. */
export type ElementType = 'float32' | 'float64' | 'float16' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool';

export type TensorData =
  | Float32Array
  | Float64Array
  | Uint16Array
  | Uint8Array
  | Int8Array
  | Int32Array
  | BigInt64Array;

/** A dense array in row-major order; `float16` holds its bit patterns in a Uint16Array, `bool` bytes 0 and 1. */
export type Tensor = {
  readonly elementType: ElementType;
  readonly dims: readonly number[];
  readonly data: TensorData;
};

/** Tensors by input or output name. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
