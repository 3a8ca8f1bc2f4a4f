import { createHash } from 'node:crypto';
import { UnsupportedModelError, UserError } from '../errors.ts';
import { decodeModelProto, type GraphProto, type ModelProto, type TensorProto } from '../wire/model-proto.ts';
import { assertSorted } from './assert-sorted.ts';
import { loadExternalData, type ReadExternalData } from './external-data.ts';
import { storedTensors } from './graph-tensors.ts';
import { assertTensorIsComplete } from './tensor-values.ts';

/** A decoded ONNX model. Messages are treated as immutable: a rewrite builds new ones. */
export type Model = {
  /** Where it was read from, for messages. */
  readonly path: string;
  readonly proto: ModelProto;
  readonly graph: GraphProto;
  /** Version of the default operator set ("ai.onnx"). */
  readonly opsetVersion: number;
  readonly fileSha256: string;
  /** Of the file and its external data; without any, of the file alone. */
  readonly contentSha256: string;
  readonly contentSizeBytes: number;
};

/** Opset 7 (ONNX 1.2, 2018) is the oldest that onnxruntime promises to run. */
const OLDEST_OPSET = 7;

/** The newest that onnxruntime 1.30 runs (ONNX 1.21). */
export const NEWEST_OPSET = 26;

/** How a Git LFS pointer file begins (git-lfs, docs/spec.md). */
const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/**
 * Decode a model file, with its external data loaded in.
 *
 * @param readExternal reads a slice of a file named by a tensor, relative to the model
 * @throws UserError if the bytes are no ONNX model, are cut short, a tensor's data does not fit its dims, or the graph is out of order
 * @throws UnsupportedModelError if the default opset is missing, older than 7, or newer than the runtime knows
 */
export async function decodeModel(bytes: Uint8Array, path: string, readExternal: ReadExternalData): Promise<Model> {
  const proto = parseModel(bytes, path);
  const graph = proto.graph;
  if (graph === undefined || graph.node.length === 0) {
    throw notAModel(path, bytes, 'it holds no graph with nodes');
  }
  const opsetVersion = defaultOpset(proto, path);
  const content = createHash('sha256').update(bytes);
  let contentSizeBytes = bytes.length;
  await loadExternalData(graph, path, async (...place) => {
    const data = await readExternal(...place);
    content.update(data);
    contentSizeBytes += data.length;
    return data;
  });
  for (const { tensor, label } of storedTensors(graph)) assertTensorIsComplete(tensor, label, path);
  assertSorted(graph, path);
  return {
    path,
    proto,
    graph,
    opsetVersion,
    fileSha256: createHash('sha256').update(bytes).digest('hex'),
    contentSha256: content.digest('hex'),
    contentSizeBytes,
  };
}

/** The same model with another graph. */
export function withGraph(model: Model, graph: GraphProto): Model {
  return { ...model, graph, proto: { ...model.proto, graph } };
}

/** The same model with other tensors in place of initializers of the same name. */
export function replaceInitializers(model: Model, tensors: ReadonlyMap<string, TensorProto>): Model {
  const initializer = model.graph.initializer.map((tensor) => tensors.get(tensor.name ?? '') ?? tensor);
  return withGraph(model, { ...model.graph, initializer });
}

function parseModel(bytes: Uint8Array, path: string): ModelProto {
  if (new TextDecoder().decode(bytes.subarray(0, LFS_POINTER.length)) === LFS_POINTER) throw isPointer(path);
  try {
    return decodeModelProto(bytes);
  } catch (cause) {
    throw notAModel(path, bytes, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function notAModel(path: string, bytes: Uint8Array, reason: string, cause?: unknown): UserError {
  return new UserError(
    {
      what: `this is not a complete ONNX model (${bytes.length} bytes): ${reason}`,
      where: path,
      fix: 'export the model again, and check that the file was copied whole',
    },
    { cause },
  );
}

function isPointer(path: string): UserError {
  return new UserError({
    what: 'this is a Git LFS pointer, not the model itself',
    where: path,
    fix: 'run "git lfs pull"; in a workflow, set "lfs: true" for actions/checkout',
  });
}

function defaultOpset(proto: ModelProto, path: string): number {
  const entry = proto.opsetImport.find(({ domain }) => domain === undefined || domain === '' || domain === 'ai.onnx');
  const version = Number(entry?.version ?? 0);
  if (version >= OLDEST_OPSET && version <= NEWEST_OPSET) return version;
  throw new UnsupportedModelError({
    what: entry === undefined ? 'the model imports no default opset' : `the model uses opset ${version}`,
    where: path,
    fix: `export it with an opset from ${OLDEST_OPSET} to ${NEWEST_OPSET} (17 is a good choice)`,
  });
}
