/** Tensors stored outside the model file (onnx.proto, TensorProto.external_data: location, offset, length). */
import { UserError } from '../errors.ts';
import { elementCount } from '../tensor.ts';
import type { GraphProto, TensorProto } from '../wire/model-proto.ts';
import { rawDataSize } from './data-type.ts';
import { storedTensors } from './graph-tensors.ts';
import { dimsOf } from './tensor-values.ts';

/**
 * Reads `length` bytes at `offset` (to the end when `length` is undefined) of the file at `location`, a path relative to
 * the model's folder; it refuses what lies outside that folder.
 */
export type ReadExternalData = (location: string, offset: number, length: number | undefined) => Promise<Uint8Array>;

/** TensorProto.DataLocation. */
const EXTERNAL = 1;

/** A protobuf message ends at 2 GiB, and so does a model that is handed to the runtime in memory. */
const LARGEST_MODEL_BYTES = 2 ** 31 - 1;

/**
 * Load the external data of a freshly decoded graph into it, also of tensors in attributes and subgraphs.
 * @throws UserError if a tensor does not say where its data is, or all of it is more than 2 GiB
 */
export async function loadExternalData(graph: GraphProto, path: string, read: ReadExternalData): Promise<void> {
  let loadedBytes = 0;
  for (const { tensor, label } of storedTensors(graph)) {
    if (tensor.dataLocation !== EXTERNAL) continue;
    const { location, offset, length } = placeOf(tensor, label, path);
    if (loadedBytes + (length ?? 0) > LARGEST_MODEL_BYTES) throw tooLarge(path);
    const rawData = await read(location, offset, length);
    loadedBytes += rawData.length;
    if (loadedBytes > LARGEST_MODEL_BYTES) throw tooLarge(path);
    tensor.rawData = rawData;
    tensor.externalData = [];
    delete tensor.dataLocation;
  }
}

type Place = { readonly location: string; readonly offset: number; readonly length: number | undefined };

function placeOf(tensor: TensorProto, label: string, path: string): Place {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value ?? '']));
  const location = entries.get('location');
  const offset = byteCount(entries.get('offset') ?? '0');
  // Without a length the dims say it: a file may hold many tensors one after the other.
  const length = entries.has('length') ? byteCount(entries.get('length') ?? '') : declaredSize(tensor);
  if (location === undefined || Number.isNaN(offset) || Number.isNaN(length)) {
    throw new UserError({
      what: `${label} has no usable external data (location, offset and length)`,
      where: path,
      fix: 'save the model again with its external data',
    });
  }
  return { location, offset, length };
}

/** Bytes of the elements that the dims declare; undefined for a type without a fixed width. */
function declaredSize(tensor: TensorProto): number | undefined {
  return rawDataSize(tensor.dataType, elementCount(dimsOf(tensor)));
}

function byteCount(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

function tooLarge(path: string): UserError {
  return new UserError({
    what: 'the model and its external data are larger than 2 GiB together, which this version cannot hold',
    where: path,
    fix: 'gate the parts of the model one by one',
  });
}
