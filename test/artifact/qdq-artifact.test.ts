import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { loadPrepared, presentModels, sharedModels } from '../../bench/shared-models.ts';
import type { LayerContent } from '../../src/artifact/packed-artifact.ts';
import {
  buildQdqArtifact,
  planQdqArtifact,
  qdqArtifactSizeBytes,
  qdqLayerParts,
} from '../../src/artifact/qdq-artifact.ts';
import { UnsupportedModelError, UserError } from '../../src/errors.ts';
import { encodeFloat16 } from '../../src/float16.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { type Layer, listLayers } from '../../src/onnx/list-layers.ts';
import { decodeModel, type Model } from '../../src/onnx/model.ts';
import { prepareModel } from '../../src/onnx/prepare-model.ts';
import { floatTensor, readFloats } from '../../src/onnx/tensor-values.ts';
import type { Granularity } from '../../src/quantize/granularity.ts';
import { dequantize } from '../../src/quantize/quantized-tensor.ts';
import { quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import type { NamedTensors } from '../../src/tensor.ts';
import { decodeModelProto, encodeModelProto, type ModelProto, newMetadata } from '../../src/wire/model-proto.ts';
import { optimisedOperators } from '../onnx/optimised-operators.ts';
import {
  attribute,
  decodeBuilt,
  floatInput,
  type ModelParts,
  node,
  noExternalData,
  relativeDifference,
  runModel,
  value,
  weight,
} from '../onnx/small-model.ts';

const WIDTHS = [2, 3, 4, 6, 8] as const;
const GRANULARITIES: readonly Granularity[] = ['tensor', 'channel', { block: 32 }];

type Network = { readonly model: Model; readonly layers: readonly Layer[] };

async function networkOf(parts: ModelParts): Promise<Network> {
  const model = prepareModel(await decodeBuilt(parts));
  return { model, layers: listLayers(model) };
}

function quantized(network: Network, width: number | 'float', granularity: Granularity = 'channel'): LayerContent[] {
  const weights = new Map(network.model.graph.initializer.map((tensor) => [tensor.name, tensor]));
  return network.layers.map((layer) => {
    const values = readFloats(weights.get(layer.weightName)!, '');
    return width === 'float' ? width : quantizeToNearest({ ...layer, values }, width, granularity);
  });
}

function artifactOf({ model, layers }: Network, contents: readonly LayerContent[]): Uint8Array {
  return buildQdqArtifact(planQdqArtifact(model, layers, {}), contents);
}

function sizeOf({ model, layers }: Network, contents: readonly LayerContent[]): number {
  const plan = planQdqArtifact(model, layers, {});
  const parts = contents.map((content, index) => qdqLayerParts(plan, index, content));
  const forms = parts.map((part) => part.forms);
  return qdqArtifactSizeBytes(
    plan,
    forms,
    parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
}

/** The dequantized weights in the place of the model's own: the slow, obvious way to the same network. */
function fakeQuantized({ model, layers }: Network, contents: readonly LayerContent[]): ModelProto {
  const weights = new Map(
    layers.flatMap(({ weightName, dims, dataType }, index) => {
      const content = contents[index]!;
      return content === 'float' ? [] : [[weightName, floatTensor(weightName, dims, dequantize(content), dataType)]];
    }),
  );
  const initializer = model.graph.initializer.map((tensor) => weights.get(tensor.name ?? '') ?? tensor);
  return { ...model.proto, graph: { ...model.graph, initializer } };
}

function opsetOf(artifact: Uint8Array): number {
  return Number(decodeModelProto(artifact).opsetImport[0]?.version);
}

/**
 * Outputs without the runtime's fusions. With them a product with a constant weight becomes MatMulNBits, which by default rounds
 * activations to eight bits (session.qdq_matmulnbits_accuracy_level is 4).
 */
async function runUnfused(model: Uint8Array, feeds: NamedTensors): Promise<NamedTensors> {
  const session = await InferenceSession.create(model, { graphOptimizationLevel: 'disabled', logSeverityLevel: 3 });
  const ortFeeds = Object.entries(feeds).map(
    ([name, { elementType, data, dims }]) => [name, new Tensor(elementType, data as never, dims as number[])] as const,
  );
  const results = await session.run(Object.fromEntries(ortFeeds));
  await session.release();
  return results as unknown as NamedTensors;
}

const image = { inputs: [value('x', [1, 6, 9, 9])], outputs: [value('y', [])] };
const matrix = { inputs: [value('x', ['n', 70])], outputs: [value('y', [])] };
const bias = weight('b', [24], 2);

/** Every operator that can be a layer; 70 inputs, so that the last block of 32 is a short one. */
const OPERATORS: readonly (ModelParts & { name: string; feeds: NamedTensors })[] = [
  {
    name: 'Conv',
    nodes: [node('Conv', ['x', 'w', 'b'], ['y'])],
    initializers: [weight('w', [24, 6, 3, 3], 1), bias],
    ...image,
    feeds: { x: floatInput([1, 6, 9, 9], 3) },
  },
  {
    name: 'grouped Conv',
    nodes: [node('Conv', ['x', 'w', 'b'], ['y'], attribute.int('group', 3))],
    initializers: [weight('w', [24, 2, 3, 3], 1), bias],
    ...image,
    feeds: { x: floatInput([1, 6, 9, 9], 3) },
  },
  {
    name: 'ConvTranspose',
    nodes: [node('ConvTranspose', ['x', 'w', 'b'], ['y'], attribute.int('group', 2))],
    initializers: [weight('w', [6, 12, 3, 3], 1), bias],
    ...image,
    feeds: { x: floatInput([1, 6, 9, 9], 3) },
  },
  {
    name: 'Gemm',
    nodes: [node('Gemm', ['x', 'w', 'b'], ['y'])],
    initializers: [weight('w', [70, 24], 1), bias],
    ...matrix,
    feeds: { x: floatInput([4, 70], 3) },
  },
  {
    name: 'transposed Gemm',
    nodes: [node('Gemm', ['x', 'w', 'b'], ['y'], attribute.int('transB', 1))],
    initializers: [weight('w', [24, 70], 1), bias],
    ...matrix,
    feeds: { x: floatInput([4, 70], 3) },
  },
  {
    name: 'MatMul',
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
    initializers: [weight('w', [70, 24], 1)],
    ...matrix,
    feeds: { x: floatInput([4, 70], 3) },
  },
  {
    name: 'stacked MatMul',
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
    initializers: [weight('w', [3, 70, 5], 1)],
    ...matrix,
    feeds: { x: floatInput([4, 70], 3) },
  },
];

describe('buildQdqArtifact: operators', () => {
  const cases = OPERATORS.flatMap((operator) =>
    GRANULARITIES.map((granularity) => ({ ...operator, granularity, scales: JSON.stringify(granularity) })),
  );

  it.each(cases)('buildQdqArtifact: $name with scales per $scales is the fake-quantized model', async (parts) => {
    const network = await networkOf({ ...parts, opset: 9 });
    for (const width of WIDTHS) {
      const contents = quantized(network, width, parts.granularity);
      const artifact = artifactOf(network, contents);
      const expected = await runModel(fakeQuantized(network, contents), parts.feeds);
      expect(artifact.length, `${width} bits`).toBe(sizeOf(network, contents));
      expect(relativeDifference(await runUnfused(artifact, parts.feeds), expected), `${width} bits`).toBeLessThan(1e-5);
      const fused = parts.name.includes('MatMul') || parts.name.includes('Gemm') ? 1e-2 : 1e-5;
      expect(relativeDifference(await runModel(artifact, parts.feeds), expected), `${width} bits`).toBeLessThan(fused);
    }
  });
});

describe('buildQdqArtifact: what is stored', () => {
  const MATMUL: ModelParts = {
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
    initializers: [weight('w', [70, 24], 1)],
    inputs: [value('x', ['n', 70])],
    outputs: [value('y', ['n', 24])],
    opset: 9,
    irVersion: 4,
  };

  it.each([
    { width: 2, granularity: 'channel', opset: 25, irVersion: 13n, type: 26, bytes: 420, scales: [24n] },
    { width: 3, granularity: 'channel', opset: 21, irVersion: 10n, type: 22, bytes: 840, scales: [24n] },
    { width: 4, granularity: 'channel', opset: 21, irVersion: 10n, type: 22, bytes: 840, scales: [24n] },
    { width: 4, granularity: { block: 32 }, opset: 21, irVersion: 10n, type: 22, bytes: 840, scales: [3n, 24n] },
    { width: 5, granularity: 'channel', opset: 13, irVersion: 7n, type: 3, bytes: 1680, scales: [24n] },
    { width: 8, granularity: 'channel', opset: 13, irVersion: 7n, type: 3, bytes: 1680, scales: [24n] },
    { width: 8, granularity: 'tensor', opset: 10, irVersion: 5n, type: 3, bytes: 1680, scales: [] },
    { width: 8, granularity: { block: 32 }, opset: 21, irVersion: 10n, type: 3, bytes: 1680, scales: [3n, 24n] },
  ] as const)('buildQdqArtifact: $width bits per $granularity need opset $opset and no more', async (wanted) => {
    const network = await networkOf(MATMUL);
    const artifact = decodeModelProto(artifactOf(network, quantized(network, wanted.width, wanted.granularity)));
    const [weights, scales] = artifact.graph!.initializer;
    expect(artifact.opsetImport.map(({ version }) => Number(version))).toEqual([wanted.opset]);
    expect(artifact.irVersion).toBe(wanted.irVersion);
    expect([weights?.dataType, weights?.rawData?.length, weights?.dims]).toEqual([
      wanted.type,
      wanted.bytes,
      [70n, 24n],
    ]);
    expect([scales?.dataType, scales?.dims]).toEqual([DATA_TYPE.float32, [...wanted.scales]]);
    expect(artifact.graph!.node.map(({ opType, input, output }) => [opType, input, output])).toEqual([
      ['DequantizeLinear', ['q0', 's0'], ['w']],
      ['MatMul', ['x', 'w'], ['y']],
    ]);
  });

  it('buildQdqArtifact: a newer model keeps its opset', async () => {
    const network = await networkOf({ ...MATMUL, opset: 17, irVersion: 8 });
    expect(opsetOf(artifactOf(network, quantized(network, 8)))).toBe(17);
    expect(opsetOf(artifactOf(network, quantized(network, 4)))).toBe(21);
  });

  it('buildQdqArtifact: a model whose layers all stay float keeps its opset and its bytes of weights', async () => {
    const network = await networkOf(MATMUL);
    const artifact = artifactOf(network, ['float']);
    expect(opsetOf(artifact)).toBe(9);
    expect(artifact.length).toBe(sizeOf(network, ['float']));
    expect(decodeModelProto(artifact).graph!.initializer).toEqual(network.model.graph.initializer);
  });

  it('buildQdqArtifact: the same input gives the same bytes', async () => {
    const build = async (width: number) => {
      const network = await networkOf(MATMUL);
      return Buffer.from(artifactOf(network, quantized(network, width))).toString('base64');
    };
    expect(await build(4)).toBe(await build(4));
    expect(await build(4)).not.toBe(await build(3));
  });

  it('buildQdqArtifact: says in its metadata where it comes from and which layer has how many bits', async () => {
    const built = await decodeBuilt(MATMUL);
    const proto = { ...built.proto, metadataProps: [newMetadata('author', 'someone')] };
    const model = prepareModel(await decodeModel(encodeModelProto(proto), 'm.onnx', noExternalData));
    const network = { model, layers: listLayers(model) };
    const plan = planQdqArtifact(model, network.layers, { version: '0.1.0' });
    const { metadataProps } = decodeModelProto(buildQdqArtifact(plan, quantized(network, 3)));
    expect(metadataProps.map(({ key, value: fact }) => `${key}=${fact}`)).toEqual([
      'author=someone',
      'bitgate.version=0.1.0',
      'bitgate.bits=3',
    ]);
  });

  it('planQdqArtifact: an artifact is not quantized again', async () => {
    const network = await networkOf(MATMUL);
    const again = await decodeModel(artifactOf(network, quantized(network, 4)), 'artifact.onnx', noExternalData);
    const plan = () => planQdqArtifact(again, [], {});
    expect(plan).toThrow(UserError);
    expect(plan).toThrow('artifact.onnx: the model was quantized by bitgate already');
  });

  it('planQdqArtifact: names of the model are kept clear of', async () => {
    const network = await networkOf({
      ...MATMUL,
      nodes: [node('MatMul', ['q0', 's0'], ['k0']), node('Unsqueeze', ['k0'], ['y'], attribute.ints('axes', [0]))],
      initializers: [weight('s0', [70, 24], 1)],
      inputs: [value('q0', ['n', 70])],
      outputs: [value('y', [])],
    });
    const contents = quantized(network, 4);
    const feeds = { q0: floatInput([2, 70], 3) };
    const expected = await runModel(fakeQuantized(network, contents), feeds);
    expect(relativeDifference(await runUnfused(artifactOf(network, contents), feeds), expected)).toBeLessThan(1e-6);
  });
});

describe('buildQdqArtifact: float16 models', () => {
  const HALF: ModelParts = {
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
    initializers: [weight('w', [16, 8], 1, DATA_TYPE.float16)],
    inputs: [value('x', [2, 16], DATA_TYPE.float16)],
    outputs: [value('w', [16, 8], DATA_TYPE.float16), value('y', [2, 8], DATA_TYPE.float16)],
    opset: 13,
  };
  const feeds = { x: { elementType: 'float16' as const, dims: [2, 16], data: new Uint16Array(32) } };

  it.each([
    { width: 8, opset: 19 },
    { width: 4, opset: 21 },
    { width: 2, opset: 25 },
  ])('buildQdqArtifact: $width bits with float16 scales need opset $opset, and decode exactly', async (wanted) => {
    const network = await networkOf(HALF);
    const contents = quantized(network, wanted.width);
    const artifact = artifactOf(network, contents);
    const [content] = contents;
    expect(opsetOf(artifact)).toBe(wanted.opset);
    expect(artifact.length).toBe(sizeOf(network, contents));
    expect(decodeModelProto(artifact).graph!.initializer[1]?.dataType).toBe(DATA_TYPE.float16);
    const decoded = (await runModel(artifact, feeds)).w?.data;
    expect(decoded).toEqual(Uint16Array.from(dequantize(content as never), encodeFloat16));
  });

  it('buildQdqArtifact: scales beyond float16 stay float32, and the weight is cast', async () => {
    const network = await networkOf(HALF);
    const [content] = quantized(network, 8);
    const scales = (content as { scales: Float32Array }).scales.map((scale, index) => (index === 0 ? 1e-6 : scale));
    const contents = [{ ...(content as object), scaleType: 'float32', scales } as LayerContent];
    const artifact = artifactOf(network, contents);
    expect(opsetOf(artifact)).toBe(13);
    expect(artifact.length).toBe(sizeOf(network, contents));
    expect(decodeModelProto(artifact).graph!.node.map(({ opType }) => opType)).toEqual([
      'DequantizeLinear',
      'Cast',
      'MatMul',
    ]);
    const decoded = (await runModel(artifact, feeds)).w?.data;
    expect(decoded).toEqual(Uint16Array.from(dequantize(contents[0] as never), encodeFloat16));
  });
});

describe('qdqArtifactSizeBytes', () => {
  /** A model whose frame shrinks at opset 18, where the axes of many reductions become one shared constant. */
  const reductions = Array.from({ length: 8 }, (_, index) =>
    node(
      'ReduceMean',
      [index === 0 ? 'h' : `r${index - 1}`],
      [index === 7 ? 'y' : `r${index}`],
      attribute.ints('axes', [1]),
    ),
  );
  const SHRINKING: ModelParts = {
    nodes: [node('MatMul', ['x', 'w'], ['g']), node('MatMul', ['g', 'v'], ['h']), ...reductions],
    initializers: [weight('w', [8, 8], 1), weight('v', [8, 8], 2)],
    inputs: [value('x', [2, 8])],
    outputs: [value('y', [])],
    opset: 13,
  };

  it('qdqArtifactSizeBytes: with the forms of every candidate it bounds each artifact', async () => {
    const network = await networkOf(SHRINKING);
    const plan = planQdqArtifact(network.model, network.layers, {});
    const contents = ([2, 4, 8, 'float'] as const).map((width) => quantized(network, width));
    const parts = contents.map((ofWidth) => ofWidth.map((content, index) => qdqLayerParts(plan, index, content)));
    const forms = network.layers.map((_, index) => parts.flatMap((ofWidth) => ofWidth[index]!.forms));
    const frameOf = (width: number) => qdqArtifactSizeBytes(plan, [[forms[0]![width]!]], 0);
    expect(frameOf(2), 'the frame of INT8, at opset 13').toBeGreaterThan(frameOf(1));
    const choices = [...contents.keys()];
    const sizes = choices.flatMap((first) => choices.map((second) => [first, second] as const));
    for (const [first, second] of sizes) {
      const partBytes = parts[first]![0]!.sizeBytes + parts[second]![1]!.sizeBytes;
      const artifact = buildQdqArtifact(plan, [contents[first]![0]!, contents[second]![1]!]);
      expect(qdqArtifactSizeBytes(plan, forms, partBytes)).toBeGreaterThanOrEqual(artifact.length);
      const own = [parts[first]![0]!.forms, parts[second]![1]!.forms];
      expect(qdqArtifactSizeBytes(plan, own, partBytes)).toBe(artifact.length);
    }
  });

  it('qdqArtifactSizeBytes: an operator that cannot be raised is refused by name, before anything is built', async () => {
    const network = await networkOf({
      ...SHRINKING,
      nodes: [node('MatMul', ['x', 'w'], ['g']), node('FancyOp', ['g'], ['y'])],
      initializers: [weight('w', [8, 8], 1)],
    });
    const plan = planQdqArtifact(network.model, network.layers, {});
    const sizeAt = (width: number) => {
      const parts = qdqLayerParts(plan, 0, quantized(network, width)[0]!);
      return () => qdqArtifactSizeBytes(plan, [parts.forms], parts.sizeBytes);
    };
    expect(sizeAt(8)()).toBeGreaterThan(0);
    expect(sizeAt(4)).toThrow(UnsupportedModelError);
    expect(sizeAt(4)).toThrow("the FancyOp node 'make_y' (domain ai.onnx, opset 13) is not known to the opset upgrade");
  });
});

describe('buildQdqArtifact: onnxruntime fuses', () => {
  const cases = ([2, 4, 8] as const).flatMap((width) =>
    (['channel', { block: 32 }] as const).map((granularity) => ({ width, granularity })),
  );

  it.each(cases)('buildQdqArtifact: MatMul of $width bits per $granularity to MatMulNBits', async (wanted) => {
    const network = await networkOf({
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
      initializers: [weight('w', [96, 24], 1)],
      inputs: [value('x', ['n', 96])],
      outputs: [value('y', ['n', 24])],
    });
    const artifact = artifactOf(network, quantized(network, wanted.width, wanted.granularity));
    expect(await optimisedOperators(artifact)).toEqual(['MatMulNBits']);
  });

  const products = (['MatMul', 'Gemm'] as const).flatMap((opType) =>
    ([2, 4] as const).flatMap((width) => GRANULARITIES.map((granularity) => ({ opType, width, granularity }))),
  );

  it.each(products)(
    'buildQdqArtifact: $opType of $width bits per $granularity is right fused, however many outputs it has',
    async ({ opType, width, granularity }) => {
      const feeds = { x: floatInput([3, 64], 5) };
      for (const outputCount of [1, 2, 3, 4, 5, 6, 7, 8, 10]) {
        const network = await networkOf({
          nodes: [node(opType, ['x', 'w'], ['y'])],
          initializers: [weight('w', [64, outputCount], outputCount)],
          inputs: [value('x', ['n', 64])],
          outputs: [value('y', ['n', outputCount])],
        });
        const artifact = artifactOf(network, quantized(network, width, granularity));
        const [fused, plain] = [await runModel(artifact, feeds), await runUnfused(artifact, feeds)];
        expect(relativeDifference(fused, plain), `${outputCount} outputs`).toBeLessThan(0.03);
      }
    },
  );
});

describe('buildQdqArtifact: shared models', () => {
  it.skipIf(presentModels().length === 0).each(sharedModels('resnet20', 'ultraface'))(
    'buildQdqArtifact: $name at mixed widths is the fake-quantized model, in exactly the bytes foreseen',
    async (shared) => {
      const model = await loadPrepared(shared);
      const network = { model, layers: listLayers(model) };
      const [input] = model.graph.input;
      const dims = input!.type!.tensorType!.shape!.dim.map(({ value: size }) =>
        size.case === 'dimValue' ? Number(size.value) : 2,
      );
      const feeds = { [input!.name!]: floatInput(dims, 9) };
      for (const widths of [[8], [2, 3, 4, 5, 8]]) {
        const contents = network.layers.map((_, index) => {
          const width = widths[index % widths.length]!;
          return quantized({ model, layers: [network.layers[index]!] }, width)[0]!;
        });
        const artifact = artifactOf(network, contents);
        expect(artifact.length).toBe(sizeOf(network, contents));
        const expected = await runModel(fakeQuantized(network, contents), feeds);
        expect(relativeDifference(await runUnfused(artifact, feeds), expected)).toBeLessThan(1e-4);
        expect(relativeDifference(await runModel(artifact, feeds), expected)).toBeLessThan(1e-4);
      }
    },
  );
});
