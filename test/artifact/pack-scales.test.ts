import { describe, expect, it } from 'vitest';
import { artifactSizeBytes, buildArtifact, layerParts, planArtifact } from '../../src/artifact/packed-artifact.ts';
import { listLayers } from '../../src/onnx/list-layers.ts';
import { withGraph } from '../../src/onnx/model.ts';
import { floatTensor, readFloats } from '../../src/onnx/tensor-values.ts';
import type { Granularity } from '../../src/quantize/granularity.ts';
import { dequantize } from '../../src/quantize/quantized-tensor.ts';
import { quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import { encodeModelProto } from '../../src/wire/model-proto.ts';
import { attribute, decodeBuilt, floatInput, node, runModel, value, weight } from '../onnx/small-model.ts';

const GRANULARITIES: readonly Granularity[] = ['tensor', 'channel', { block: 4 }, { block: 3 }];

describe('packScales', () => {
  for (const opset of [7, 9, 11, 17]) {
    for (const granularity of GRANULARITIES) {
      it(`packScales: ${JSON.stringify(granularity)} at opset ${opset} decodes to the quantized weights`, async () => {
        const model = await threeMatrices(opset);
        const layers = listLayers(model);
        const tensors = layers.map(({ dims, channelAxis, weightName }, index) => {
          const initializer = model.graph.initializer.find(({ name }) => name === weightName)!;
          return quantizeToNearest(
            { values: readFloats(initializer, ''), dims, channelAxis },
            [2, 3, 8][index]!,
            granularity,
          );
        });
        const plan = planArtifact(model, layers, {});
        const artifact = buildArtifact(plan, tensors);
        const parts = tensors.map((tensor, index) => layerParts(plan, index, tensor));
        const partBytes = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        expect(artifact.length).toBe(
          artifactSizeBytes(
            plan,
            parts.map(({ forms }) => forms),
            partBytes,
          ),
        );
        const initializer = model.graph.initializer.map((tensor) => {
          const index = layers.findIndex(({ weightName }) => weightName === tensor.name);
          return index < 0 ? tensor : floatTensor(tensor.name!, layers[index]!.dims, dequantize(tensors[index]!));
        });
        const expected = withGraph(model, { ...model.graph, initializer });
        const feeds = { x: floatInput([2, 3, 12], 9) };
        const found = await runModel(artifact, feeds);
        expect(found.y).toEqual((await runModel(encodeModelProto(expected.proto), feeds)).y);
      });
    }
  }
});

/** MatMul [12, 10], a stack [3, 10, 7] of MatMul, and a Gemm with a transposed weight [5, 21]. */
function threeMatrices(opset: number) {
  return decodeBuilt({
    opset,
    nodes: [
      node('MatMul', ['x', 'first'], ['a']),
      node('MatMul', ['b', 'stack'], ['c']),
      node('Transpose', ['a'], ['b'], attribute.ints('perm', [1, 0, 2])),
      node('Transpose', ['c'], ['d'], attribute.ints('perm', [1, 0, 2])),
      node('Flatten', ['d'], ['e'], attribute.int('axis', 1)),
      node('Gemm', ['e', 'last', 'zero'], ['y'], attribute.int('transB', 1)),
    ].sort((a, b) => (a.output[0]! < b.output[0]! ? -1 : 1)),
    inputs: [value('x', ['n', 3, 12])],
    outputs: [value('y', ['n', 5])],
    initializers: [
      weight('first', [12, 10], 1),
      weight('stack', [3, 10, 7], 2),
      weight('last', [5, 21], 3),
      floatTensor('zero', [5], new Float32Array(5)),
    ],
  });
}
