import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { loadPrepared, presentModels, sharedModels } from '../../bench/shared-models.ts';
import {
  artifactSizeBytes,
  buildArtifact,
  type LayerContent,
  layerParts,
  planArtifact,
} from '../../src/artifact/packed-artifact.ts';
import { UserError } from '../../src/errors.ts';
import { decodeFloat16, encodeFloat16 } from '../../src/float16.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { type Layer, listLayers } from '../../src/onnx/list-layers.ts';
import { decodeModel, type Model, NEWEST_OPSET } from '../../src/onnx/model.ts';
import { prepareModel } from '../../src/onnx/prepare-model.ts';
import { floatTensor, readFloats } from '../../src/onnx/tensor-values.ts';
import { signedGrid } from '../../src/quantize/grid.ts';
import { dequantize, type QuantizedTensor, type ScaleType } from '../../src/quantize/quantized-tensor.ts';
import { quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import { decodeModelProto, encodeModelProto, type ModelProto, newMetadata } from '../../src/wire/model-proto.ts';
import {
  attribute,
  buildGraph,
  decodeBuilt,
  floatInput,
  type ModelParts,
  node,
  noExternalData,
  relativeDifference,
  runModel,
  seededNumbers,
  value,
  weight,
} from '../onnx/small-model.ts';

const WIDTHS = [2, 3, 4, 5, 6, 7, 8];
const OPSETS = [7, 9, 10, 11, 13, 17, NEWEST_OPSET];

/** Both ends of the grid and seeded integers between, with seeded scales: not what a quantizer would choose. */
function randomContent(layer: Layer, bitWidth: number, scaleType: ScaleType, seed: number): QuantizedTensor {
  const next = seededNumbers(seed);
  const grid = signedGrid(bitWidth);
  const rounded = quantizeToNearest({ values: new Float32Array(layer.weightCount), ...layer }, bitWidth);
  const values = rounded.values.map((_, index) => {
    if (index < 2) return index === 0 ? grid.quantMin : grid.quantMax;
    return grid.quantMin + Math.floor(((next() + 1) / 2) * 2 ** bitWidth);
  });
  const positive = rounded.scales.map(() => Math.abs(next()) + 0.01);
  const scales = scaleType === 'float32' ? positive : positive.map((scale) => decodeFloat16(encodeFloat16(scale)));
  return { ...rounded, values, scaleType, scales };
}

/** The weights of the contents in the place of the model's own: the slow, obvious way to the same network. */
function fakeQuantized(model: Model, layers: readonly Layer[], contents: readonly LayerContent[]): ModelProto {
  const weights = new Map(
    layers.flatMap(({ weightName, dims, dataType }, index) => {
      const content = contents[index]!;
      return content === 'float' ? [] : [[weightName, floatTensor(weightName, dims, dequantize(content), dataType)]];
    }),
  );
  const initializer = model.graph.initializer.map((tensor) => weights.get(tensor.name ?? '') ?? tensor);
  return { ...model.proto, graph: { ...model.graph, initializer } };
}

function sizeOf(model: Model, layers: readonly Layer[], contents: readonly LayerContent[]): number {
  const plan = planArtifact(model, layers, {});
  const parts = contents.map((content, index) => layerParts(plan, index, content));
  const forms = parts.map((part) => part.forms);
  return artifactSizeBytes(
    plan,
    forms,
    parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
}

/** A layer per width with a multiple of eight weights, and one without, whose decoded weights are outputs. */
function everyWidth(opset: number, dataType: number): ModelParts {
  const shapes = WIDTHS.flatMap((bitWidth) => [
    { name: `even${bitWidth}`, dims: [5, 16] },
    { name: `odd${bitWidth}`, dims: [5, 3 + bitWidth * 2] },
  ]);
  return {
    nodes: shapes.map(({ name }) => node('MatMul', ['x', name], [`y_${name}`])),
    initializers: shapes.map(({ name, dims }, index) => weight(name, dims, index, dataType)),
    inputs: [value('x', [1, 5], dataType)],
    outputs: shapes.map(({ name, dims }) => value(name, dims, dataType)),
    opset,
    irVersion: 3,
  };
}

describe('buildArtifact', () => {
  const cases = OPSETS.flatMap((opset) =>
    (['float32', 'float16'] as const).flatMap((dataType) =>
      (['float32', 'float16'] as const).map((scaleType) => ({ opset, dataType, scaleType })),
    ),
  );

  it.each(cases)(
    'buildArtifact: every width decodes to what dequantize says, opset $opset, weights $dataType, scales $scaleType',
    async ({ opset, dataType, scaleType }) => {
      const model = prepareModel(await decodeBuilt(everyWidth(opset, DATA_TYPE[dataType])));
      const layers = listLayers(model);
      const contents = layers.map((layer, index) => randomContent(layer, WIDTHS[index >> 1]!, scaleType, index));
      const artifact = buildArtifact(planArtifact(model, layers, {}), contents);
      expect(artifact.length).toBe(sizeOf(model, layers, contents));
      const bits = dataType === 'float16' ? new Uint16Array(5) : new Float32Array(5);
      const decoded = await runModel(artifact, { x: { elementType: dataType, dims: [1, 5], data: bits } });
      for (const [index, { weightName, dims }] of layers.entries()) {
        const expected = dequantize(contents[index]!);
        const stored = dataType === 'float16' ? Uint16Array.from(expected, encodeFloat16) : expected;
        expect(decoded[weightName]).toEqual({ elementType: dataType, dims, data: stored });
      }
    },
  );

  /** Weights of rank 2 to 5 with the channel axis in each place, one of them shared and one captured by a subgraph. */
  const branch = buildGraph({ nodes: [node('MatMul', ['flat', 'captured'], ['r'])], outputs: [value('r', 'any')] });
  const EVERY_OPERATOR: ModelParts = {
    nodes: [
      node('Conv', ['x', 'conv', 'bias'], ['a']),
      node('ConvTranspose', ['a', 'transposed'], ['b'], attribute.int('group', 2)),
      node('Conv', ['b', 'shared'], ['c'], attribute.ints('pads', [1, 1, 1, 1]), attribute.int('group', 4)),
      node('Conv', ['c', 'shared'], ['d'], attribute.ints('pads', [1, 1, 1, 1]), attribute.int('group', 4)),
      node('Flatten', ['d'], ['flat']),
      node('Gemm', ['flat', 'gemm', 'five'], ['e'], attribute.int('transB', 1)),
      node('MatMul', ['flat', 'captured'], ['f']),
      node('If', ['choice'], ['g'], attribute.graph('then_branch', branch), attribute.graph('else_branch', branch)),
      node('Sum', ['e', 'f', 'g'], ['h']),
      node('MatMul', ['h', 'stack'], ['y']),
    ],
    initializers: [
      weight('conv', [6, 3, 3, 3], 1),
      weight('bias', [6], 2),
      weight('transposed', [6, 2, 2, 2], 3),
      weight('shared', [4, 1, 3, 3], 4),
      weight('gemm', [5, 100], 5),
      weight('five', [5], 9),
      weight('captured', [100, 5], 6),
      weight('stack', [2, 3, 5, 7], 7),
    ],
    inputs: [value('x', ['n', 3, 6, 6]), value('choice', [], DATA_TYPE.bool)],
    outputs: [value('y', 'any')],
  };
  const FEEDS = {
    x: floatInput([2, 3, 6, 6], 8),
    choice: { elementType: 'bool' as const, dims: [], data: Uint8Array.of(1) },
  };

  it.each([7, 9, 10, 11, 13, 17, NEWEST_OPSET])(
    'buildArtifact: all operators at mixed widths compute what the fake-quantized model does, opset %i',
    async (opset) => {
      const model = prepareModel(await decodeBuilt({ ...EVERY_OPERATOR, opset }));
      const layers = listLayers(model);
      const widths = [2, 3, 5, 6, 7, 8, 'float'] as const;
      const contents = layers.map((layer, index) => {
        const width = widths[index]!;
        return width === 'float' ? width : randomContent(layer, width, 'float16', index);
      });
      expect(contents).toHaveLength(6);
      const artifact = buildArtifact(planArtifact(model, layers, {}), contents);
      const expected = await runModel(fakeQuantized(model, layers, contents), FEEDS);
      expect(relativeDifference(await runModel(artifact, FEEDS), expected)).toBeLessThan(1e-6);
    },
  );

  it('artifactSizeBytes: exact for random contents, also where lengths grow a byte', async () => {
    const model = prepareModel(await decodeBuilt(EVERY_OPERATOR));
    const layers = listLayers(model);
    const plan = planArtifact(model, layers, {});
    const next = seededNumbers(3);
    const sizes = new Set<number>();
    for (let trial = 0; trial < 200; trial++) {
      const contents = layers.map((layer) => {
        const width = 1 + Math.floor((next() + 1) * 4.5);
        return width > 8 ? 'float' : randomContent(layer, width, next() < 0 ? 'float16' : 'float32', trial);
      });
      const { length } = buildArtifact(plan, contents);
      expect(sizeOf(model, layers, contents)).toBe(length);
      sizes.add(length);
    }
    expect(sizes.size).toBeGreaterThan(100);
  });

  it('artifactSizeBytes: with the forms of every candidate it bounds each artifact', async () => {
    const model = prepareModel(await decodeBuilt(EVERY_OPERATOR));
    const layers = listLayers(model);
    const plan = planArtifact(model, layers, {});
    const all = layers.map((layer, index) =>
      WIDTHS.map((width) => layerParts(plan, index, randomContent(layer, width, 'float16', 1))),
    );
    const forms = all.map((ofLayer) => ofLayer.flatMap((parts) => parts.forms));
    for (const [choice, width] of WIDTHS.entries()) {
      const contents = layers.map((layer) => randomContent(layer, width, 'float16', 1));
      const layersSize = all.reduce((sum, ofLayer) => sum + ofLayer[choice]!.sizeBytes, 0);
      expect(artifactSizeBytes(plan, forms, layersSize)).toBeGreaterThanOrEqual(buildArtifact(plan, contents).length);
    }
  });

  it('buildArtifact: the same input gives the same bytes, another width others', async () => {
    const build = async (width: number) => {
      const model = prepareModel(await decodeBuilt(EVERY_OPERATOR));
      const layers = listLayers(model);
      const contents = layers.map((layer, index) => randomContent(layer, index === 2 ? width : 4, 'float16', index));
      return Buffer.from(buildArtifact(planArtifact(model, layers, { version: '1' }), contents)).toString('base64');
    };
    expect(await build(4)).toBe(await build(4));
    expect(await build(5)).not.toBe(await build(4));
  });

  it('buildArtifact: says in its metadata where it comes from and which layer has how many bits', async () => {
    const built = await decodeBuilt(EVERY_OPERATOR);
    const proto = {
      ...built.proto,
      metadataProps: [newMetadata('author', 'someone'), newMetadata('bitgate.bits', 'old')],
    };
    const model = await decodeModel(encodeModelProto(proto), 'm.onnx', noExternalData);
    const layers = listLayers(model);
    const contents = layers.map((layer, index) =>
      index === 0 ? 'float' : randomContent(layer, 2 + index, 'float16', 1),
    );
    const artifact = decodeModelProto(buildArtifact(planArtifact(model, layers, { version: '0.1.0' }), contents));
    expect(artifact.metadataProps.map(({ key, value }) => `${key}=${value}`)).toEqual([
      'author=someone',
      'bitgate.version=0.1.0',
      'bitgate.bits=f34567',
    ]);
    expect(artifact.irVersion).toBe(8n);
    expect(artifact.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      [undefined, 17n],
      ['bitgate', 1n],
    ]);
    // Only the weight of 48 elements fills its bytes.
    const names = ['Decode3', 'Decode4Padded', 'Decode5Padded', 'Decode6Padded', 'Decode7Padded'];
    expect(artifact.functions.map(({ name }) => name)).toEqual(names);
  });

  it('buildArtifact: all layers float is the model with metadata, without functions', async () => {
    const model = prepareModel(await decodeBuilt(EVERY_OPERATOR));
    const layers = listLayers(model);
    const contents = layers.map(() => 'float' as const);
    const artifact = decodeModelProto(buildArtifact(planArtifact(model, layers, {}), contents));
    expect(artifact.functions).toEqual([]);
    expect(artifact.opsetImport).toHaveLength(1);
    expect(artifact.graph!.node).toEqual(model.graph.node);
  });

  it('buildArtifact: names of the model are kept clear of', async () => {
    const parts = {
      nodes: [node('MatMul', ['p0', 'd0'], ['s0']), node('MatMul', ['s0', 'n0'], ['w0'])],
      initializers: [weight('d0', [5, 3], 1), weight('n0', [3, 3], 2)],
      inputs: [value('p0', [2, 5])],
      outputs: [value('w0', [2, 3])],
    };
    const model = prepareModel(await decodeBuilt(parts));
    const layers = listLayers(model);
    const contents = layers.map((layer) => randomContent(layer, 3, 'float16', 1));
    const feeds = { p0: floatInput([2, 5], 3) };
    const expected = await runModel(fakeQuantized(model, layers, contents), feeds);
    const artifact = buildArtifact(planArtifact(model, layers, {}), contents);
    expect(relativeDifference(await runModel(artifact, feeds), expected)).toBeLessThan(1e-6);
  });

  it('buildArtifact: a value off the grid is never clipped', async () => {
    const model = prepareModel(await decodeBuilt(EVERY_OPERATOR));
    const layers = listLayers(model);
    const contents = layers.map((layer) => randomContent(layer, 3, 'float16', 1));
    contents[0]!.values[5] = 4;
    expect(() => buildArtifact(planArtifact(model, layers, {}), contents)).toThrow('4 is not on the grid -4…3');
  });

  it('planArtifact: an artifact is not quantized again', async () => {
    const model = prepareModel(await decodeBuilt(EVERY_OPERATOR));
    const layers = listLayers(model);
    const contents = layers.map((layer, index) => (index === 0 ? randomContent(layer, 4, 'float16', 1) : 'float'));
    const artifact = buildArtifact(planArtifact(model, layers, {}), contents);
    const again = prepareModel(await decodeModel(artifact, 'artifact.onnx', noExternalData));
    const plan = () => planArtifact(again, listLayers(again), {});
    expect(plan).toThrow(UserError);
    expect(plan).toThrow(
      'artifact.onnx: the model was quantized by bitgate already\n  fix: give the float model that it was made from',
    );
  });
});

/** Operators of the graph that the runtime runs after its optimisations, sorted. */
async function optimisedOperators(model: Uint8Array): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bitgate-optimised-'));
  try {
    const optimizedModelFilePath = join(folder, 'optimised.onnx');
    const session = await InferenceSession.create(model, { optimizedModelFilePath, logSeverityLevel: 3 });
    await session.release();
    const { graph } = decodeModelProto(new Uint8Array(readFileSync(optimizedModelFilePath)));
    return graph!.node.map(({ domain, opType }) => `${domain ?? ''}:${opType}`).sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('buildArtifact, shared models', () => {
  it.skipIf(presentModels().length === 0).each(sharedModels())(
    'buildArtifact: $name at mixed widths is the fake-quantized model, as small and as fast',
    async (shared) => {
      const model = await loadPrepared(shared);
      const layers = listLayers(model);
      const weights = new Map(model.graph.initializer.map((tensor) => [tensor.name, tensor]));
      const widths = layers.map((_, index) => WIDTHS[index % WIDTHS.length]!);
      const contents = layers.map((layer, index) =>
        quantizeToNearest({ ...layer, values: readFloats(weights.get(layer.weightName)!, '') }, widths[index]!),
      );
      const artifact = buildArtifact(planArtifact(model, layers, {}), contents);
      const reference = encodeModelProto(fakeQuantized(model, layers, contents));

      const weightBytes = layers.reduce((sum, { weightCount }, index) => sum + (widths[index]! * weightCount) / 8, 0);
      const floatBytes = layers.reduce((sum, { weightCount }) => sum + 4 * weightCount, 0);
      expect(artifact.length).toBe(sizeOf(model, layers, contents));
      expect(artifact.length).toBeLessThanOrEqual(1.04 * (weightBytes + model.contentSizeBytes - floatBytes));

      const [input] = model.graph.input;
      const dims = input!.type!.tensorType!.shape!.dim.map(({ value }) =>
        value.case === 'dimValue' ? Number(value.value) : 2,
      );
      const feeds = { [input!.name!]: floatInput(dims, 9) };
      expect(relativeDifference(await runModel(artifact, feeds), await runModel(reference, feeds))).toBeLessThan(1e-4);
      // The decoding is gone when the model is loaded, so that every run costs what a run of the float model costs.
      expect(await optimisedOperators(artifact)).toEqual(await optimisedOperators(reference));
    },
  );
});
