import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeModel, type Model } from '../../../src/onnx/model.ts';
import { upgradeOpset } from '../../../src/onnx/upgrade-opset/upgrade-opset.ts';
import { encodeModelProto, newAttribute, newFunction, newNode, newOpset } from '../../../src/wire/model-proto.ts';
import {
  attribute,
  decodeBuilt,
  floatInput,
  node,
  noExternalData,
  relativeDifference,
  runModel,
} from '../small-model.ts';
import { graphCase, one, UPGRADE_CASES, type UpgradeCase } from './cases.ts';

const { int, ints } = attribute;

const TARGETS = [13, 21, 25];

/** AveragePool and the convolutions have other kernels for other opsets, which add up in another order. */
const ROUNDING = 1e-6;

describe('upgradeOpset: an upgraded operator computes the same in onnxruntime', () => {
  it.each(UPGRADE_CASES)('$name (opset $parts.opset)', async ({ parts, feeds, newest = 25 }) => {
    const model = await decodeBuilt(parts);
    const expected = await runModel(model.proto, feeds);
    for (const target of TARGETS.filter((version) => version > parts.opset && version <= newest)) {
      const upgraded = upgradeOpset(model, target);
      expect(upgraded.proto.opsetImport.map(({ version }) => Number(version))).toEqual([target]);
      const difference = relativeDifference(await runModel(upgraded.proto, feeds), expected);
      expect(difference, `opset ${target}`).toBeLessThan(ROUNDING);
    }
  });
});

const MODELS = fileURLToPath(new URL('../../../../shared/models/', import.meta.url));

const SHARED = [
  { file: 'resnet20-cifar10.onnx', dims: [2, 3, 32, 32] },
  { file: 'resnet32-cifar10.onnx', dims: [2, 3, 32, 32] },
  { file: 'mobilenet-v1-075-imagenet.onnx', dims: [1, 3, 224, 224] },
  { file: 'ultraface-rfb-320.onnx', dims: [1, 3, 240, 320] },
];

describe.skipIf(!existsSync(MODELS))('upgradeOpset: an upgraded model computes the same in onnxruntime', () => {
  it.each(SHARED)('$file', async ({ file, dims }) => {
    const model = await decodeModel(await readFile(MODELS + file), file, noExternalData);
    const initialized = new Set(model.graph.initializer.map(({ name }) => name));
    const input = model.graph.input.find(({ name }) => !initialized.has(name))?.name ?? '';
    const feeds = { [input]: floatInput(dims, 3) };
    const expected = await runModel(model.proto, feeds);
    for (const target of TARGETS.filter((version) => version > model.opsetVersion)) {
      const actual = await runModel(upgradeOpset(model, target).proto, feeds);
      expect(relativeDifference(actual, expected), `opset ${target}`).toBeLessThan(1e-5);
    }
  });
});

describe('upgradeOpset: what it leaves alone', () => {
  it('returns the model itself when it is new enough', async () => {
    const model = await decodeBuilt(one('', 21, 'Relu').parts);
    expect(upgradeOpset(model, 13)).toBe(model);
    expect(upgradeOpset(model, 21)).toBe(model);
  });

  it('passes operators of other domains unchanged, whatever they are called', async () => {
    const foreign = newNode({ opType: 'Slice', domain: 'com.microsoft', input: ['x'], output: ['y'] });
    const model = await modelOf(graphCase('', 9, [foreign]));
    const imports = [...model.proto.opsetImport, newOpset('com.microsoft', 1n)];
    const upgraded = upgradeOpset({ ...model, proto: { ...model.proto, opsetImport: imports } }, 21);
    expect(upgraded.graph.node).toEqual([foreign]);
    expect(upgraded.proto.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      [undefined, 21n],
      ['com.microsoft', 1n],
    ]);
  });

  it('keeps the attributes that a rewrite does not name, and the name of the node', async () => {
    const { node: nodes } = upgradeOpset(
      await modelOf(one('', 9, 'ReduceMean', { attributes: [ints('axes', [1]), int('keepdims', 0)] })),
      21,
    ).graph;
    expect(nodes.map(({ name, input, attribute: kept }) => [name, input, kept.map((entry) => entry.name)])).toEqual([
      ['make_y', ['x', 'k0'], ['keepdims']],
    ]);
  });

  it('adds no constant where no value went into an attribute', async () => {
    const upgraded = upgradeOpset(await modelOf(one('', 13, 'ReduceMean')), 21);
    expect(upgraded.graph.initializer).toEqual([]);
    expect(upgraded.graph.node[0]?.input).toEqual(['x']);
  });
});

describe('upgradeOpset: constants', () => {
  it('stores equal constants once, under names that the model does not use', async () => {
    const squeeze = (input: string, output: string) => node('Unsqueeze', [input], [output], ints('axes', [0]));
    const model = await modelOf(graphCase('', 9, [squeeze('x', 'k0'), squeeze('k0', 'y')]));
    const { initializer, node: nodes } = upgradeOpset(model, 13).graph;
    expect(initializer.map(({ name }) => name)).toEqual(['k0_2']);
    expect(nodes.map(({ input }) => input)).toEqual([
      ['x', 'k0_2'],
      ['k0', 'k0_2'],
    ]);
  });

  it('is deterministic', async () => {
    const { parts } = UPGRADE_CASES.find(({ name }) => name.startsWith('a transformer block'))!;
    const [first, second] = [upgradeOpset(await decodeBuilt(parts), 25), upgradeOpset(await decodeBuilt(parts), 25)];
    expect(encodeModelProto(first.proto)).toEqual(encodeModelProto(second.proto));
  });
});

describe('upgradeOpset: IR version', () => {
  it.each([
    [13, 7n],
    [21, 10n],
    [25, 13n],
  ])('opset %i needs IR version %i', async (target, irVersion) => {
    const model = await modelOf({ ...one('', 9, 'Relu'), parts: { ...one('', 9, 'Relu').parts, irVersion: 4 } });
    expect(upgradeOpset(model, target).proto.irVersion).toBe(irVersion);
  });

  it('is never lowered', async () => {
    const model = await modelOf(one('', 9, 'Relu'));
    expect(upgradeOpset(model, 13).proto.irVersion).toBe(8n);
  });
});

describe('upgradeOpset: model-local functions', () => {
  const definition = (...nodes: ReturnType<typeof node>[]) =>
    newFunction({
      name: 'Part',
      domain: 'local',
      input: ['a'],
      output: ['b'],
      attribute: ['axes'],
      node: nodes,
      opsetImport: [newOpset('', 9n)],
    });
  const call = newNode({
    opType: 'Part',
    domain: 'local',
    input: ['x'],
    output: ['y'],
    attribute: [ints('axes', [1])],
  });

  async function withFunction(...nodes: ReturnType<typeof node>[]): Promise<Model> {
    const model = await modelOf(graphCase('', 9, [call]));
    const opsetImport = [...model.proto.opsetImport, newOpset('local', 1n)];
    return { ...model, proto: { ...model.proto, opsetImport, functions: [definition(...nodes)] } };
  }

  it('are raised too, with Constant nodes where a graph has initializers', async () => {
    const slice = node('Slice', ['a'], ['s'], ints('axes', [1]), ints('starts', [1]), ints('ends', [3]));
    const old = await withFunction(slice, node('Neg', ['s'], ['b']));
    const feeds = { x: floatInput([2, 3, 4, 5], 1) };
    const upgraded = upgradeOpset(old, 21);
    expect(upgraded.proto.functions[0]?.opsetImport[0]?.version).toBe(21n);
    expect(upgraded.proto.functions[0]?.node.map(({ opType }) => opType)).toEqual([
      'Constant',
      'Constant',
      'Slice',
      'Neg',
    ]);
    expect(await runModel(upgraded.proto, feeds)).toEqual(await runModel(old.proto, feeds));
  });

  it('refuses to rewrite a node whose attribute comes from the caller', async () => {
    const axes = newAttribute({ name: 'axes', refAttrName: 'axes', type: 7 });
    const model = await withFunction(node('ReduceSum', ['a'], ['b'], axes));
    expect(() => upgradeOpset(model, 21)).toThrow(
      "the ReduceSum node 'make_b' (domain ai.onnx, opset 9) cannot be upgraded to opset 21: its attributes are those of the function around it",
    );
  });
});

function modelOf({ parts }: UpgradeCase): Promise<Model> {
  return decodeBuilt(parts);
}
