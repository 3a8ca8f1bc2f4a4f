/** Tensors stored outside the model file (onnx.proto, TensorProto.external_data: location, offset, length). */
import { UserError } from '../errors.ts';
import type { GraphProto, TensorProto } from '../wire/model-proto.ts';

/**
 * Reads `length` bytes at `offset` (to the end when `length` is undefined) of the file at `location`, a path relative to
 * the model's folder; it refuses what lies outside that folder.
 */
export type ReadExternalData = (location: string, offset: number, length: number | undefined) => Promise<Uint8Array>;

/** TensorProto.DataLocation. */
const EXTERNAL = 1;

/** A protobuf message ends at 2 GiB, and so does a model that is handed to the runtime in memory. */
const LARGEST_MODEL_BYTES = 2 ** 31 - 1;

/** Replace every external initializer by one that holds its bytes. */
export async function loadExternalData(graph: GraphProto, path: string, read: ReadExternalData): Promise<void> {
  let loadedBytes = 0;
  for (const [index, tensor] of graph.initializer.entries()) {
    if (tensor.dataLocation !== EXTERNAL) continue;
    const rawData = await readTensor(tensor, path, read);
    loadedBytes += rawData.length;
    if (loadedBytes > LARGEST_MODEL_BYTES) throw tooLarge(path);
    const { dataLocation: _location, ...rest } = tensor;
    graph.initializer[index] = { ...rest, externalData: [], rawData };
  }
}

async function readTensor(tensor: TensorProto, path: string, read: ReadExternalData): Promise<Uint8Array> {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value ?? '']));
  const location = entries.get('location');
  const offset = byteCount(entries.get('offset') ?? '0');
  const length = entries.has('length') ? byteCount(entries.get('length') ?? '') : undefined;
  if (location === undefined || Number.isNaN(offset) || Number.isNaN(length)) {
    throw new UserError({
      what: `initializer '${tensor.name}' has no usable external data (location, offset and length)`,
      where: path,
      fix: 'save the model again with its external data',
    });
  }
  return read(location, offset, length);
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
