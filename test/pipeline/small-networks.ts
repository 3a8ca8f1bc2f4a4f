/** Small networks that the example is not: other types, opsets, batch sizes and outputs; and samples for them. */
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { floatTensor } from '../../src/onnx/tensor-values.ts';
import type { ModelProto } from '../../src/wire/model-proto.ts';
import { npy } from '../dataset/npy-bytes.ts';
import { npz } from '../dataset/zip-bytes.ts';
import {
  attribute,
  buildModel,
  floatInput,
  type ModelParts,
  node,
  runModel,
  seededFloats,
  value,
  weight,
} from '../onnx/small-model.ts';

const SAMPLE_DIMS = [3, 8, 8] as const;
const CLASS_COUNT = 5;

export type NetworkOptions = Pick<ModelParts, 'opset' | 'irVersion'> & {
  readonly dataType?: number;
  /** A free batch when absent. */
  readonly batchSize?: number;
};

/** Two convolutions, the first with BatchNormalization behind it, and a Gemm: x [N, 3, 8, 8] → scores [N, 5]. */
export function classifier(options: NetworkOptions = {}): ModelProto {
  return buildModel(classifierParts(options));
}

/** The same with a second head, boxes [N, 4], and a softmax behind the scores. */
export function detector(options: NetworkOptions = {}): ModelProto {
  const { dataType = DATA_TYPE.float32, batchSize = 'N' } = options;
  const parts = classifierParts(options);
  return buildModel({
    ...parts,
    nodes: [...parts.nodes, node('Softmax', ['scores'], ['probabilities']), node('MatMul', ['f', 'w4'], ['boxes'])],
    initializers: [...parts.initializers, weight('w4', [64, 4], 10, dataType)],
    outputs: [value('boxes', [batchSize, 4], dataType), value('probabilities', [batchSize, CLASS_COUNT], dataType)],
  });
}

function classifierParts({ dataType = DATA_TYPE.float32, batchSize, ...versions }: NetworkOptions) {
  const batch = batchSize ?? 'N';
  const tensor = (name: string, dims: readonly number[], seed: number) => weight(name, dims, seed, dataType);
  const half = [attribute.ints('pads', [1, 1, 1, 1]), attribute.ints('strides', [2, 2])];
  // A variance is above 0.
  const variance = seededFloats(8, 5).map((number) => 0.5 + Math.abs(number));
  return {
    ...versions,
    nodes: [
      node('Conv', ['x', 'w1'], ['c1'], ...half),
      node('BatchNormalization', ['c1', 'gain', 'shift', 'mean', 'variance'], ['n1']),
      node('Relu', ['n1'], ['r1']),
      node('Conv', ['r1', 'w2', 'b2'], ['c2'], ...half),
      node('Relu', ['c2'], ['r2']),
      node('Flatten', ['r2'], ['f']),
      node('Gemm', ['f', 'w3', 'b3'], ['scores']),
    ],
    initializers: [
      tensor('w1', [8, 3, 3, 3], 1),
      tensor('gain', [8], 2),
      tensor('shift', [8], 3),
      tensor('mean', [8], 4),
      floatTensor('variance', [8], variance, dataType),
      tensor('w2', [16, 8, 3, 3], 6),
      tensor('b2', [16], 7),
      tensor('w3', [64, CLASS_COUNT], 8),
      tensor('b3', [CLASS_COUNT], 9),
    ],
    inputs: [value('x', [batch, ...SAMPLE_DIMS], dataType)],
    outputs: [value('scores', [batch, CLASS_COUNT], dataType)],
  } satisfies ModelParts;
}

/** Samples for both, and as labels the classes that the float32 classifier says. */
export async function samples(count: number, seed: number): Promise<{ x: Float32Array; labels: BigInt64Array }> {
  const input = floatInput([count, ...SAMPLE_DIMS], seed);
  const { scores } = await runModel(classifier(), { x: input });
  const labels = BigInt64Array.from({ length: count }, (_, sample) => {
    const row = Array.from(scores!.data.slice(sample * CLASS_COUNT, (sample + 1) * CLASS_COUNT), Number);
    return BigInt(row.indexOf(Math.max(...row)));
  });
  return { x: input.data as Float32Array, labels };
}

export async function sampleFile(count: number, seed: number): Promise<Uint8Array> {
  const { x, labels } = await samples(count, seed);
  return npz({ x: npy('<f4', [count, ...SAMPLE_DIMS], x), labels: npy('<i8', [count], labels) });
}
