/** Small ONNX models for tests: built from messages, filled with seeded numbers, run in a plain onnxruntime session. */
import { create } from '@bufbuild/protobuf';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { decodeModel, type Model } from '../../src/onnx/model.ts';
import { floatTensor } from '../../src/onnx/tensor-values.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import { elementCount, type NamedTensors, type Tensor } from '../../src/tensor.ts';
import {
  type AttributeProto,
  encodeModelProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  newAttribute,
  newNode,
  newOpset,
  type TensorProto,
  type ValueInfoProto,
} from '../../src/wire/model-proto.ts';
import { GraphProtoSchema, ModelProtoSchema, ValueInfoProtoSchema } from '../../src/wire/onnx_pb.js';

export type ModelParts = {
  readonly nodes: readonly NodeProto[];
  readonly initializers?: readonly TensorProto[];
  readonly inputs?: readonly ValueInfoProto[];
  readonly outputs?: readonly ValueInfoProto[];
  readonly opset?: number;
  readonly irVersion?: number;
};

export function buildGraph({ nodes, initializers = [], inputs = [], outputs = [] }: ModelParts): GraphProto {
  const lists = { node: [...nodes], initializer: [...initializers], input: [...inputs], output: [...outputs] };
  return create(GraphProtoSchema, { name: 'g', ...lists });
}

export function buildModel(parts: ModelParts): ModelProto {
  const { opset = 17, irVersion = 8 } = parts;
  const opsetImport = [newOpset('', BigInt(opset))];
  return create(ModelProtoSchema, { irVersion: BigInt(irVersion), opsetImport, graph: buildGraph(parts) });
}

/** As a stage gets it: encoded, decoded and checked. */
export function decodeBuilt(parts: ModelParts): Promise<Model> {
  return decodeModel(encodeModelProto(buildModel(parts)), 'built.onnx', noExternalData);
}

export async function noExternalData(location: string): Promise<Uint8Array> {
  throw new Error(`asked for ${location}`);
}

/** A tensor value of a graph; a dim is a number or a name, and [] is a scalar. */
export function value(
  name: string,
  dims: readonly (number | string)[] | 'any',
  elemType: number = DATA_TYPE.float32,
): ValueInfoProto {
  const shape = dims === 'any' ? {} : { shape: { dim: dims.map(dimension) } };
  return create(ValueInfoProtoSchema, { name, type: { tensorType: { elemType, ...shape } } });
}

function dimension(size: number | string) {
  if (typeof size === 'string') return { value: { case: 'dimParam' as const, value: size } };
  return { value: { case: 'dimValue' as const, value: BigInt(size) } };
}

/** A node named after its first output. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  ...attribute: AttributeProto[]
): NodeProto {
  return newNode({ opType, name: `make_${output[0]}`, input: [...input], output: [...output], attribute });
}

/** AttributeProto.AttributeType of onnx.proto. */
export const attribute = {
  float: (name: string, f: number) => newAttribute({ name, f, type: 1 }),
  int: (name: string, i: number) => newAttribute({ name, i: BigInt(i), type: 2 }),
  tensor: (name: string, t: TensorProto) => newAttribute({ name, t, type: 4 }),
  graph: (name: string, g: GraphProto) => newAttribute({ name, g, type: 5 }),
  ints: (name: string, values: readonly number[]) => newAttribute({ name, ints: values.map(BigInt), type: 7 }),
};

/** A generator of numbers in [−1, 1) that are the same at every run (mulberry32). */
export function seededNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

export function seededFloats(count: number, seed: number): Float32Array {
  const next = seededNumbers(seed);
  return Float32Array.from({ length: count }, next);
}

/** A float initializer with seeded numbers in [−1, 1). */
export function weight(
  name: string,
  dims: readonly number[],
  seed: number,
  dataType: number = DATA_TYPE.float32,
): TensorProto {
  return floatTensor(name, dims, seededFloats(elementCount(dims), seed), dataType);
}

export function floatInput(dims: readonly number[], seed: number): Tensor {
  return { elementType: 'float32', dims, data: seededFloats(elementCount(dims), seed) };
}

/** Every output of one run in a session of its own. */
export async function runModel(model: ModelProto | Uint8Array, feeds: NamedTensors): Promise<NamedTensors> {
  const session = await openOnnxruntimeSession(model instanceof Uint8Array ? model : encodeModelProto(model));
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** max |actual − expected| / max |expected| over all outputs that `expected` names; NaN if a number is. */
export function relativeDifference(actual: NamedTensors, expected: NamedTensors): number {
  let largest = 0;
  for (const [name, { data }] of Object.entries(expected)) {
    const found = actual[name]?.data;
    if (found?.length !== data.length)
      throw new Error(`output '${name}' has ${found?.length} numbers, not ${data.length}`);
    const [difference, magnitude] = [...data.keys()].reduce(
      ([most, size], index) => [
        Math.max(most!, Math.abs(Number(found[index]) - Number(data[index]))),
        Math.max(size!, Math.abs(Number(data[index]))),
      ],
      [0, 0],
    );
    largest = Math.max(largest, difference! / Math.max(magnitude!, Number.MIN_VALUE));
  }
  return largest;
}
