import { describe, expect, it } from 'vitest';
import { loadPrepared, presentModels, sharedModels } from '../../bench/shared-models.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { listLayers } from '../../src/onnx/list-layers.ts';
import type { Model } from '../../src/onnx/model.ts';
import { modelInputs } from '../../src/onnx/model-inputs.ts';
import { prepareModel } from '../../src/onnx/prepare-model.ts';
import { type BranchGraph, branchGraph, type Perturbation } from '../../src/sensitivity/branch-graph.ts';
import type { NamedTensors } from '../../src/tensor.ts';
import { decodeModelProto, encodeModelProto, newTensor } from '../../src/wire/model-proto.ts';
import {
  attribute,
  buildGraph,
  decodeBuilt,
  floatInput,
  type ModelParts,
  node,
  relativeDifference,
  runModel,
  value,
  weight,
} from '../onnx/small-model.ts';
import { roundedCandidates } from './rounded-candidates.ts';

/** The slow, obvious way: the whole model with the perturbed initializers in the place of its own. */
function runPerturbed(
  model: Model,
  perturbations: readonly Perturbation[],
  feeds: NamedTensors,
): Promise<NamedTensors> {
  const replaced = new Map(perturbations.flatMap((perturbation) => [...perturbation]));
  const initializer = model.graph.initializer.map((tensor) => replaced.get(tensor.name ?? '') ?? tensor);
  return runModel(encodeModelProto({ ...model.proto, graph: { ...model.graph, initializer } }), feeds);
}

/** The outputs of one branch, or of the base, under the model's own names. */
function outputsOf(results: NamedTensors, names: readonly string[], model: Model): NamedTensors {
  return Object.fromEntries(names.map((name, index) => [model.graph.output[index]!.name!, results[name]!]));
}

/** Largest difference between a branch graph and the perturbed models one by one, over branches, base and outputs. */
async function largestDifference(
  model: Model,
  base: Perturbation,
  branches: readonly Perturbation[],
  feeds: NamedTensors,
): Promise<{ difference: number; graph: BranchGraph }> {
  const graph = branchGraph(model, base, branches, { withBaseOutputs: true });
  const results = await runModel(graph.bytes, feeds);
  const expectedBase = await runPerturbed(model, [base], feeds);
  let difference = relativeDifference(outputsOf(results, graph.baseOutputs, model), expectedBase);
  for (const [index, branch] of branches.entries()) {
    const expected = await runPerturbed(model, [base, branch], feeds);
    // A test whose branches equal the base would pass whatever the branches compute.
    expect(relativeDifference(expected, expectedBase)).toBeGreaterThan(1e-4);
    const actual = outputsOf(results, graph.branchOutputs[index]!, model);
    difference = Math.max(difference, relativeDifference(actual, expected));
  }
  return { difference, graph };
}

/** Other numbers for some initializers. */
function perturb(model: Model, ...names: readonly string[]): Perturbation {
  return new Map(
    names.map((name, index) => {
      const tensor = model.graph.initializer.find((other) => other.name === name)!;
      return [name, weight(name, tensor.dims.map(Number), 100 + index, tensor.dataType)];
    }),
  );
}

const NOTHING: Perturbation = new Map();

describe('branchGraph, shared models', () => {
  const CASES: Record<string, { layers: number[]; widths: number[]; base: number }> = {
    resnet20: { layers: [0, 1, 8, 13, 18, 19], widths: [2, 4], base: 6 },
    mobilenet: { layers: [3, 14], widths: [3, 6], base: 9 },
    // Layer 13 starts one of three parallel paths, 26 and 51 lead to one of two outputs each.
    ultraface: { layers: [0, 13, 26, 40, 51], widths: [2, 4], base: 16 },
  };

  it.skipIf(presentModels().length === 0).each(sharedModels(...Object.keys(CASES)))(
    'branchGraph: every branch of $name equals the perturbed model, for singles and over a base',
    async (shared) => {
      const model = await loadPrepared(shared);
      const { layers, widths, base } = CASES[shared.name]!;
      const all = listLayers(model);
      const offered = all.map((_, index) => (layers.includes(index) ? widths : index === base ? [3] : []));
      const candidates = await roundedCandidates(model, all, offered);
      const branches = candidates.filter(({ layerIndex }) => layerIndex !== base);
      const [baseCandidate] = candidates.filter(({ layerIndex }) => layerIndex === base);
      expect(branches).toHaveLength(layers.length * widths.length);
      const [input] = modelInputs(model);
      const feeds = {
        [input!.name]: floatInput(
          input!.dims.map((dim) => dim ?? 2),
          4,
        ),
      };

      const singles = await largestDifference(
        model,
        NOTHING,
        branches.map(({ perturbation }) => perturbation),
        feeds,
      );
      expect(singles.difference).toBeLessThan(1e-5);
      const later = branches.filter(({ layerIndex }) => layerIndex > base).map(({ perturbation }) => perturbation);
      const pairs = await largestDifference(model, baseCandidate!.perturbation, later, feeds);
      expect(pairs.difference).toBeLessThan(1e-5);
    },
  );
});

describe('branchGraph, small models', () => {
  const build = async (parts: ModelParts) => prepareModel(await decodeBuilt(parts));
  const FEEDS = { x: floatInput([3, 4], 9) };

  /** Two paths from one stem to a sum, and a second output from one of them. */
  const PARALLEL: ModelParts = {
    nodes: [
      node('MatMul', ['x', 'stem'], ['s']),
      node('Relu', ['s'], ['r']),
      node('MatMul', ['r', 'left'], ['l']),
      node('MatMul', ['r', 'right'], ['t']),
      node('Tanh', ['t'], ['side']),
      node('Add', ['l', 'side'], ['a']),
      node('MatMul', ['a', 'head'], ['main']),
    ],
    initializers: ['stem', 'left', 'right', 'head'].map((name, index) => weight(name, [4, 4], index + 1)),
    inputs: [value('x', ['n', 4])],
    outputs: [value('main', ['n', 4]), value('side', ['n', 4])],
  };

  it('branchGraph: parallel paths, several outputs, and a base on one of the paths', async () => {
    const model = await build(PARALLEL);
    const branches = ['stem', 'left', 'right', 'head'].map((name) => perturb(model, name));
    for (const base of [NOTHING, perturb(model, 'left'), perturb(model, 'right', 'stem')]) {
      const others = branches.filter((branch) => ![...branch.keys()].some((name) => base.has(name)));
      const { difference } = await largestDifference(model, base, others, FEEDS);
      expect(difference).toBeLessThan(1e-6);
    }
  });

  it('branchGraph: copies exactly the descendants, and shares an output that a branch does not touch', async () => {
    const model = await build(PARALLEL);
    const branches = ['stem', 'left', 'right', 'head'].map((name) => perturb(model, name));
    const graph = branchGraph(model, NOTHING, branches, { withBaseOutputs: false });
    const nodesOf = (branch: number) =>
      decodeModelProto(graph.bytes)
        .graph!.node.filter(({ output }) => output[0]!.endsWith(`@branch${branch}`))
        .map(({ output }) => output[0]!.split('@')[0]);
    expect([0, 1, 2, 3].map(nodesOf)).toEqual([
      ['s', 'r', 'l', 't', 'side', 'a', 'main'],
      ['l', 'a', 'main'],
      ['t', 'side', 'a', 'main'],
      ['main'],
    ]);
    expect(graph.branchOutputs[1]).toEqual(['main@branch1', 'side']);
    expect(graph.baseOutputs).toEqual([]);
    // Without its own output wanted, the base is computed only as far as a branch reads it.
    const { node: nodes, output, initializer } = decodeModelProto(graph.bytes).graph!;
    expect(nodes.filter(({ output }) => !output[0]!.includes('@')).map(({ output }) => output[0])).toEqual([
      's',
      'r',
      'l',
      't',
      'side',
      'a',
    ]);
    expect(output.map(({ name }) => name)).toEqual([
      'main@branch0',
      'side@branch0',
      'main@branch1',
      'side',
      'main@branch2',
      'side@branch2',
      'main@branch3',
    ]);
    expect(initializer.filter(({ name }) => name === 'head@branch3')).toHaveLength(1);
    expect(graph.computedNodes).toHaveLength(nodes.length);
  });

  it('branchGraph: a branch behind nothing of the base leaves the base out', async () => {
    const model = await build(PARALLEL);
    const graph = branchGraph(model, NOTHING, [perturb(model, 'stem')], { withBaseOutputs: false });
    expect(decodeModelProto(graph.bytes).graph!.node).toHaveLength(PARALLEL.nodes.length);
    const none = branchGraph(model, perturb(model, 'left'), [], { withBaseOutputs: true });
    expect(none.branchOutputs).toEqual([]);
    const results = await runModel(none.bytes, FEEDS);
    const expected = await runPerturbed(model, [perturb(model, 'left')], FEEDS);
    expect(relativeDifference(results, expected)).toBeLessThan(1e-6);
  });

  it('branchGraph: several initializers in one branch, and one that base and branch both replace', async () => {
    const model = await build(PARALLEL);
    const both = perturb(model, 'left', 'head');
    const base = new Map([['left', weight('left', [4, 4], 50)]]);
    const { difference } = await largestDifference(model, base, [both, perturb(model, 'right', 'stem')], FEEDS);
    expect(difference).toBeLessThan(1e-6);
  });

  it('branchGraph: a weight shared by two nodes is perturbed in both', async () => {
    const model = await build({
      ...PARALLEL,
      nodes: [
        node('MatMul', ['x', 'stem'], ['a']),
        node('MatMul', ['a', 'left'], ['b']),
        node('MatMul', ['b', 'stem'], ['main']),
        node('Relu', ['a'], ['side']),
      ],
    });
    const { difference, graph } = await largestDifference(
      model,
      NOTHING,
      [perturb(model, 'stem'), perturb(model, 'left')],
      FEEDS,
    );
    expect(difference).toBeLessThan(1e-6);
    // One copy of the weight for two copies of the node.
    expect(
      decodeModelProto(graph.bytes).graph!.initializer.filter(({ name }) => name?.startsWith('stem')),
    ).toHaveLength(2);
  });

  it.each([0, 1])(
    'branchGraph: subgraphs that capture a perturbed value or weight are copied, condition %i',
    async (condition) => {
      /** Captures `name` through two levels, and names its own values like values outside. */
      const capturing = (name: string) => {
        const innermost = buildGraph({ nodes: [node('Add', [name, name], ['deep'])], outputs: [value('deep', 'any')] });
        return buildGraph({
          nodes: [
            node(
              'If',
              ['c'],
              ['twice'],
              attribute.graph('then_branch', innermost),
              attribute.graph('else_branch', innermost),
            ),
            node('MatMul', ['twice', 'left'], ['product']),
          ],
          outputs: [value('product', 'any')],
        });
      };
      const model = await build({
        nodes: [
          node('MatMul', ['x', 'stem'], ['s']),
          node('MatMul', ['x', 'right'], ['t']),
          node(
            'If',
            ['c'],
            ['i'],
            attribute.graph('then_branch', capturing('s')),
            attribute.graph('else_branch', capturing('t')),
          ),
          node('MatMul', ['i', 'head'], ['main']),
          // Read outside too, so that `left` is a layer of the model.
          node('MatMul', ['s', 'left'], ['l']),
          node('Add', ['l', 't'], ['side']),
        ],
        initializers: PARALLEL.initializers!,
        inputs: [value('x', ['n', 4]), value('c', [], DATA_TYPE.bool)],
        outputs: [value('main', 'any'), value('side', 'any')],
      });
      const feeds = { ...FEEDS, c: { elementType: 'bool' as const, dims: [], data: Uint8Array.of(condition) } };
      const branches = ['stem', 'left', 'right', 'head'].map((name) => perturb(model, name));
      for (const base of [NOTHING, perturb(model, 'stem'), perturb(model, 'left')]) {
        const others = branches.filter((branch) => ![...branch.keys()].some((name) => base.has(name)));
        const { difference, graph } = await largestDifference(model, base, others, feeds);
        expect(difference).toBeLessThan(1e-6);
        expect(graph.branchOutputs[0]![0]).toBe('main@branch0');
      }
    },
  );

  it('branchGraph: the body of a Loop captures a perturbed value, and keeps what it names itself', async () => {
    const body = buildGraph({
      nodes: [
        node('Identity', ['going'], ['still']),
        node('MatMul', ['state', 'left'], ['m']),
        node('Add', ['m', 's'], ['sum']),
        node('Tanh', ['sum'], ['next']),
      ],
      inputs: [value('trip', [], DATA_TYPE.int64), value('going', [], DATA_TYPE.bool), value('state', ['n', 4])],
      outputs: [value('still', [], DATA_TYPE.bool), value('next', ['n', 4])],
    });
    const model = await build({
      nodes: [
        node('MatMul', ['x', 'stem'], ['s']),
        node('MatMul', ['s', 'left'], ['l']),
        node('Loop', ['trips', '', 'l'], ['looped'], attribute.graph('body', body)),
        node('MatMul', ['looped', 'head'], ['main']),
      ],
      initializers: [
        ...PARALLEL.initializers!,
        newTensor({ name: 'trips', dataType: DATA_TYPE.int64, int64Data: [3n] }),
      ],
      inputs: [value('x', ['n', 4])],
      outputs: [value('main', 'any')],
    });
    const branches = ['stem', 'left', 'head'].map((name) => perturb(model, name));
    const { difference } = await largestDifference(model, NOTHING, branches, FEEDS);
    expect(difference).toBeLessThan(1e-6);
  });

  it('branchGraph: a subgraph that shadows a perturbed name keeps its own value', async () => {
    const shadowing = buildGraph({
      nodes: [node('MatMul', ['x', 'stem'], ['r'])],
      initializers: [weight('stem', [4, 4], 77)],
      outputs: [value('r', 'any')],
    });
    const inner = buildGraph({
      nodes: [
        node('If', ['c'], ['q'], attribute.graph('then_branch', shadowing), attribute.graph('else_branch', shadowing)),
        node('Add', ['q', 's'], ['p']),
      ],
      outputs: [value('p', 'any')],
    });
    const model = await build({
      nodes: [
        node('MatMul', ['x', 'stem'], ['s']),
        node('If', ['c'], ['main'], attribute.graph('then_branch', inner), attribute.graph('else_branch', inner)),
      ],
      initializers: PARALLEL.initializers!.slice(0, 1),
      inputs: [value('x', ['n', 4]), value('c', [], DATA_TYPE.bool)],
      outputs: [value('main', 'any')],
    });
    const feeds = { ...FEEDS, c: { elementType: 'bool' as const, dims: [], data: Uint8Array.of(1) } };
    const { difference } = await largestDifference(model, NOTHING, [perturb(model, 'stem')], feeds);
    expect(difference).toBeLessThan(1e-6);
  });

  it('branchGraph: half precision, at the oldest opset and as initializers listed as inputs', async () => {
    const half = DATA_TYPE.float16;
    const model = await build({
      nodes: [
        node('Cast', ['x'], ['h'], attribute.int('to', half)),
        node('MatMul', ['h', 'stem'], ['s']),
        node('MatMul', ['s', 'head'], ['t']),
        node('Cast', ['t'], ['main'], attribute.int('to', DATA_TYPE.float32)),
      ],
      initializers: [weight('stem', [4, 4], 1, half), weight('head', [4, 4], 2, half)],
      inputs: [value('x', ['n', 4]), value('stem', [4, 4], half), value('head', [4, 4], half)],
      outputs: [value('main', 'any')],
      opset: 7,
      irVersion: 3,
    });
    const { difference } = await largestDifference(
      model,
      NOTHING,
      ['stem', 'head'].map((name) => perturb(model, name)),
      FEEDS,
    );
    expect(difference).toBeLessThan(1e-6);
  });
});
