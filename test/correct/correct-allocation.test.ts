import { describe, expect, it } from 'vitest';
import { fullBatches, measureCorrections, type OutputCorrection } from '../../src/correct/correct-allocation.ts';
import { foldCorrection } from '../../src/correct/fold-correction.ts';
import { matchPoints } from '../../src/correct/match-points.ts';
import type { Batch } from '../../src/dataset/sample-set.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { type Layer, listLayers } from '../../src/onnx/list-layers.ts';
import { type Model, replaceInitializers, withGraph } from '../../src/onnx/model.ts';
import { giveOwnBiases } from '../../src/onnx/rewrites/give-own-biases.ts';
import { floatTensor, readFloats } from '../../src/onnx/tensor-values.ts';
import { dequantize, type QuantizedTensor } from '../../src/quantize/quantized-tensor.ts';
import { quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import type { Tensor } from '../../src/tensor.ts';
import { encodeModelProto, newOutput, type TensorProto } from '../../src/wire/model-proto.ts';
import { attribute, decodeBuilt, floatInput, node, runModel, value, weight } from '../onnx/small-model.ts';

/** Two convolutions with a shortcut, then a matrix with a bias behind it; opset 17 takes ReduceMean's axes as attributes. */
async function residualModel(opset = 17, dataType: number = DATA_TYPE.float32): Promise<Model> {
  const isHalf = dataType === DATA_TYPE.float16;
  const model = await decodeBuilt({
    opset,
    nodes: [
      ...(isHalf ? [node('Cast', ['x'], ['input'], attribute.int('to', DATA_TYPE.float16))] : []),
      node('Conv', [isHalf ? 'input' : 'x', 'w1', 'b1'], ['c1'], attribute.ints('pads', [1, 1, 1, 1])),
      node('Relu', ['c1'], ['r1']),
      node('Conv', ['r1', 'w2'], ['c2'], attribute.ints('pads', [1, 1, 1, 1])),
      node('Relu', ['r1'], ['shortcut']),
      node('Add', ['c2', 'shortcut'], ['sum']),
      node('GlobalAveragePool', ['sum'], ['pooled']),
      node('Flatten', ['pooled'], ['flat']),
      node('MatMul', ['flat', 'w3'], ['m']),
      node('Add', ['m', 'b3'], ['y']),
    ],
    inputs: [value('x', ['batch', 2, 6, 6])],
    outputs: [newOutput('y')],
    initializers: [
      weight('w1', [4, 2, 3, 3], 1, dataType),
      weight('b1', [4], 2, dataType),
      weight('w2', [4, 4, 3, 3], 3, dataType),
      weight('w3', [4, 3], 4, dataType),
      weight('b3', [3], 5, dataType),
    ],
  });
  return giveOwnBiases(model);
}

const BATCHES: Batch[] = [11, 12].map((seed) => ({ feeds: { x: floatInput([8, 2, 6, 6], seed) }, sampleCount: 8 }));

function initializersOf(model: Model): Map<string, TensorProto> {
  return new Map(model.graph.initializer.map((tensor) => [tensor.name ?? '', tensor]));
}

function quantizeAll(model: Model, layers: readonly Layer[], bitWidth: number): QuantizedTensor[] {
  const initializers = initializersOf(model);
  return layers.map(({ weightName, dims, channelAxis }) =>
    quantizeToNearest({ values: readFloats(initializers.get(weightName)!, ''), dims, channelAxis }, bitWidth),
  );
}

function weightTensor(layer: Layer, content: QuantizedTensor): TensorProto {
  return floatTensor(layer.weightName, layer.dims, dequantize(content), layer.dataType);
}

/** One value of the graph over all batches: by channel, every position's number. */
async function channelsOf(model: Model, name: string, channelCount: number): Promise<Float64Array[]> {
  const probed = withGraph(model, { ...model.graph, output: [newOutput(name)] });
  const channels = Array.from({ length: channelCount }, (): number[] => []);
  for (const { feeds } of BATCHES) {
    const { data, dims } = (await runModel(encodeModelProto(probed.proto), feeds))[name] as Tensor;
    const innerCount = dims.slice(2).reduce((product, dim) => product * dim, 1);
    for (const [index, number] of (data as Float32Array).entries()) {
      channels[Math.floor(index / innerCount) % channelCount]!.push(number);
    }
  }
  return channels.map((numbers) => Float64Array.from(numbers));
}

function mean(values: Float64Array): number {
  return values.reduce((sum, number) => sum + number, 0) / values.length;
}

/** The slow way: layer after layer, two models run from the start, and least squares by loops. */
async function correctByLoops(model: Model, layers: readonly Layer[], contents: readonly QuantizedTensor[]) {
  const points = matchPoints(model, layers);
  const corrections: OutputCorrection[] = [];
  let quantized = model;
  for (const [index, layer] of layers.entries()) {
    const { output, sum } = points.get(index)!;
    const channelCount = layer.dims[layer.channelAxis]!;
    quantized = replaceInitializers(quantized, new Map([[layer.weightName, weightTensor(layer, contents[index]!)]]));
    const found = await channelsOf(quantized, output, channelCount);
    const wanted = await channelsOf(model, sum?.output ?? output, channelCount);
    const beside = sum === undefined ? undefined : await channelsOf(quantized, sum.other, channelCount);
    const targets = wanted.map((numbers, c) =>
      numbers.map((number, p) => number - (beside === undefined ? 0 : beside[c]![p]!)),
    );
    const correction = {
      factors: Float32Array.from(found, (q, c) => slope(q, targets[c]!)),
      meanQuantized: Float32Array.from(found, mean),
      meanTarget: Float32Array.from(targets, mean),
    };
    corrections.push(correction);
    const bias = initializersOf(model).get(layer.biasName!)!;
    const folded = foldExactly(contents[index]!, readFloats(bias, ''), correction);
    const tensors = [
      floatTensor(layer.weightName, layer.dims, folded.weight, layer.dataType),
      floatTensor(layer.biasName!, [channelCount], folded.bias, bias.dataType),
    ];
    quantized = replaceInitializers(quantized, new Map(tensors.map((tensor) => [tensor.name ?? '', tensor])));
  }
  return corrections;
}

function slope(found: Float64Array, wanted: Float64Array): number {
  const [foundMean, wantedMean] = [mean(found), mean(wanted)];
  let [covariance, variance] = [0, 0];
  for (const [index, number] of found.entries()) {
    covariance += (number - foundMean) * (wanted[index]! - wantedMean);
    variance += (number - foundMean) ** 2;
  }
  return Math.min(4, Math.max(0.25, covariance / variance));
}

/** Without the rounding of stored scales. */
function foldExactly(content: QuantizedTensor, bias: Float32Array, correction: OutputCorrection) {
  const { factors, meanQuantized, meanTarget } = correction;
  const scales = content.scales.map((scale, channel) => scale * factors[channel]!);
  return {
    weight: dequantize({ ...content, scales }),
    bias: bias.map((b, c) => factors[c]! * (b - meanQuantized[c]!) + meanTarget[c]!),
  };
}

function expectClose(found: Float32Array, expected: Float32Array, tolerance: number): void {
  expect(found.length).toBe(expected.length);
  for (const [index, number] of expected.entries()) expect(Math.abs(found[index]! - number)).toBeLessThan(tolerance);
}

describe('matchPoints', () => {
  it("compares the sum behind a shortcut, a matrix behind its bias, and else the layer's output", async () => {
    const model = await residualModel();
    expect([...matchPoints(model, listLayers(model)).values()]).toEqual([
      { output: 'c1' },
      { output: 'c2', sum: { output: 'sum', other: 'shortcut' } },
      { output: 'y' },
    ]);
  });

  it('leaves out a matrix without a bias, which could not hold the shift, and a weight that two nodes share', async () => {
    const model = await decodeBuilt({
      nodes: [
        node('MatMul', ['x', 'w1'], ['m']),
        node('MatMul', ['m', 'w2'], ['s']),
        node('MatMul', ['s', 'w2'], ['t']),
        node('MatMul', ['t', 'w3'], ['u']),
        node('Add', ['u', 'b3'], ['y']),
      ],
      inputs: [value('x', ['batch', 4])],
      outputs: [newOutput('y')],
      initializers: [weight('w1', [4, 4], 1), weight('w2', [4, 4], 2), weight('w3', [4, 3], 3), weight('b3', [3], 4)],
    });
    const prepared = giveOwnBiases(model);
    expect([...matchPoints(prepared, listLayers(prepared))]).toEqual([[2, { output: 'y' }]]);
  });
});

describe('measureCorrections', () => {
  it.each([17, 18])(
    'equals layer-after-layer least squares with the quantized prefix in place (opset %i)',
    async (opset) => {
      const model = await residualModel(opset);
      const layers = listLayers(model);
      const contents = quantizeAll(model, layers, 2);
      const weights = new Map(layers.map((layer, index) => [layer.weightName, weightTensor(layer, contents[index]!)]));
      const input = {
        model,
        layers,
        batches: BATCHES,
        correction: 'affine',
        openSession: openOnnxruntimeSession,
      } as const;
      const measured = await measureCorrections(input, weights);
      const expected = await correctByLoops(model, layers, contents);
      expect([...measured.keys()].sort()).toEqual([0, 1, 2]);
      for (const [index, { factors, meanQuantized, meanTarget }] of expected.entries()) {
        const { chosen } = measured.get(index)!;
        expectClose(chosen.factors, factors, 1e-4);
        expectClose(chosen.meanQuantized, meanQuantized, 1e-4);
        expectClose(chosen.meanTarget, meanTarget, 1e-4);
      }
    },
  );

  it('fits an alternative as if it stood in the place of the chosen weight', async () => {
    const model = await residualModel();
    const layers = listLayers(model);
    const [two, three] = [quantizeAll(model, layers, 2), quantizeAll(model, layers, 3)];
    const tensors = (contents: QuantizedTensor[]) =>
      layers.map((layer, index) => weightTensor(layer, contents[index]!));
    const weightsOf = (list: TensorProto[]) => new Map(list.map((tensor) => [tensor.name ?? '', tensor]));
    const input = {
      model,
      layers,
      batches: BATCHES,
      correction: 'affine',
      openSession: openOnnxruntimeSession,
    } as const;
    const alternatives = new Map(tensors(three).map((tensor, index) => [index, [tensor]]));
    const measured = await measureCorrections(input, weightsOf(tensors(two)), alternatives);
    for (const index of layers.keys()) {
      const mixed = tensors(two).with(index, tensors(three)[index]!);
      const direct = (await measureCorrections(input, weightsOf(mixed))).get(index)!.chosen;
      expectClose(measured.get(index)!.alternatives[0]!.factors, direct.factors, 1e-5);
      expectClose(measured.get(index)!.alternatives[0]!.meanQuantized, direct.meanQuantized, 1e-5);
    }
  });

  it('only moves the mean for `bias`', async () => {
    const model = await residualModel();
    const layers = listLayers(model);
    const contents = quantizeAll(model, layers, 2);
    const weights = new Map(layers.map((layer, index) => [layer.weightName, weightTensor(layer, contents[index]!)]));
    const input = { model, layers, batches: BATCHES, correction: 'bias', openSession: openOnnxruntimeSession } as const;
    for (const { chosen } of (await measureCorrections(input, weights)).values()) {
      expect([...chosen.factors].every((factor) => factor === 1)).toBe(true);
    }
  });

  it('corrects a half-precision model, its statistics in single precision', async () => {
    const model = await residualModel(17, DATA_TYPE.float16);
    const layers = listLayers(model);
    const contents = quantizeAll(model, layers, 3);
    const weights = new Map(layers.map((layer, index) => [layer.weightName, weightTensor(layer, contents[index]!)]));
    const input = {
      model,
      layers,
      batches: BATCHES,
      correction: 'affine',
      openSession: openOnnxruntimeSession,
    } as const;
    const measured = await measureCorrections(input, weights);
    expect(measured.size).toBe(3);
    for (const { chosen } of measured.values()) expect([...chosen.factors].every(Number.isFinite)).toBe(true);
  });

  it('leaves a channel whose quantized output has no variance at the factor 1', async () => {
    const model = await residualModel();
    const layers = listLayers(model).slice(0, 1);
    const dead = floatTensor('w1', [4, 2, 3, 3], new Float32Array(72));
    const input = {
      model,
      layers,
      batches: BATCHES,
      correction: 'affine',
      openSession: openOnnxruntimeSession,
    } as const;
    const { chosen } = (await measureCorrections(input, new Map([['w1', dead]]))).get(0)!;
    // The target does vary, so what is left of the covariance is rounding, far below the factor's limits.
    for (const factor of chosen.factors) expect(factor).toBeCloseTo(1, 2);
  });

  it('does nothing for layers that stay float', async () => {
    const model = await residualModel();
    const input = { model, layers: listLayers(model), batches: BATCHES, correction: 'affine' } as const;
    expect(await measureCorrections({ ...input, openSession: openOnnxruntimeSession }, new Map())).toEqual(new Map());
  });
});

describe('foldCorrection', () => {
  const content: QuantizedTensor = {
    ...quantizeToNearest({ values: Float32Array.of(1, -1, 0.5, 0.25), dims: [2, 2], channelAxis: 0 }, 4),
  };
  const correction = {
    factors: Float32Array.of(2, 0.5),
    meanQuantized: Float32Array.of(1, 2),
    meanTarget: Float32Array.of(10, 20),
  };

  it("multiplies the channel's scale and moves the bias", () => {
    const folded = foldCorrection(content, Float32Array.of(3, 4), correction);
    expect([...folded.content.scales]).toEqual([content.scales[0]! * 2, content.scales[1]! * 0.5]);
    expect([...folded.bias]).toEqual([2 * (3 - 1) + 10, 0.5 * (4 - 2) + 20]);
    expect(folded.content.values).toEqual(content.values);
  });

  it('follows the rounding of the stored scale with the shift', () => {
    const odd = { ...correction, factors: Float32Array.of(1.0001, 1) };
    const folded = foldCorrection(content, Float32Array.of(3, 4), odd);
    const applied = folded.content.scales[0]! / content.scales[0]!;
    expect(folded.bias[0]).toBeCloseTo(applied * (3 - 1) + 10, 5);
  });

  it('leaves out a factor that the stored precision cannot hold', () => {
    const huge = { ...correction, factors: Float32Array.of(1e9, 1) };
    const folded = foldCorrection({ ...content, scaleType: 'float16' }, Float32Array.of(3, 4), huge);
    expect(folded.content.scales[0]).toBe(content.scales[0]);
    expect(folded.bias[0]).toBe(3 - 1 + 10);
  });

  it('only moves the bias where one scale serves the whole tensor', () => {
    const tensorWise = { ...content, granularity: 'tensor' as const, scales: Float32Array.of(0.125) };
    const folded = foldCorrection(tensorWise, Float32Array.of(3, 4), correction);
    expect([...folded.content.scales]).toEqual([0.125]);
    expect([...folded.bias]).toEqual([3 - 1 + 10, 4 - 2 + 20]);
  });
});

describe('fullBatches', () => {
  it('leaves out a smaller last batch, and what is more than asked', () => {
    const batches = [8, 8, 8, 3].map((sampleCount) => ({ feeds: {}, sampleCount }));
    expect(fullBatches(batches, 9).map(({ sampleCount }) => sampleCount)).toEqual([8, 8, 8]);
    expect(fullBatches(batches, 2)).toHaveLength(2);
  });
});
