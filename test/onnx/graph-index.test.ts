import { describe, expect, it } from 'vitest';
import {
  allValueNames,
  attributeOf,
  describeNode,
  freshName,
  indexGraph,
  integerAttribute,
  readValues,
} from '../../src/onnx/graph-index.ts';
import { newNode } from '../../src/wire/model-proto.ts';
import { attribute, buildGraph, node, value, weight } from './small-model.ts';

/** Reads `a` and `w` from outside; `i`, `own` and `inner` are its own. */
const LOOP_BODY = buildGraph({
  nodes: [node('MatMul', ['i', 'w'], ['inner']), node('Sum', ['inner', 'a', 'own'], ['next'])],
  inputs: [value('i', [1, 1])],
  initializers: [weight('own', [1], 1)],
  outputs: [value('next', [1, 1])],
});
const LOOP = node('Loop', ['trips', '', 'a'], ['y'], attribute.graph('body', LOOP_BODY));

describe('readValues', () => {
  it('readValues: inputs without the absent ones, and what subgraphs capture', () => {
    expect([...readValues(LOOP)].sort()).toEqual(['a', 'trips', 'w']);
  });

  it('readValues: through two levels of subgraphs, and outputs that are passed on', () => {
    const inner = buildGraph({ nodes: [], outputs: [value('far', [1])] });
    const middle = buildGraph({ nodes: [node('If', ['near'], ['z'], attribute.graph('then_branch', inner))] });
    const outer = node('If', ['c'], ['y'], attribute.graph('then_branch', middle));
    expect([...readValues(outer)].sort()).toEqual(['c', 'far', 'near']);
  });
});

describe('indexGraph', () => {
  it('indexGraph: makers, readers and constants by value', () => {
    const twice = node('Add', ['y', 'y'], ['z']);
    const graph = buildGraph({
      nodes: [LOOP, twice],
      initializers: [weight('w', [1, 1], 1)],
      outputs: [value('z', 'any')],
    });
    const { initializers, producers, consumers, outputNames } = indexGraph(graph);
    expect(initializers.get('w')).toBe(graph.initializer[0]);
    expect(producers.get('y')).toBe(LOOP);
    expect(consumers.get('w')).toEqual([LOOP]);
    expect(consumers.get('y')).toEqual([twice]);
    expect(consumers.get('z')).toBeUndefined();
    expect([...outputNames]).toEqual(['z']);
  });
});

describe('names', () => {
  it('allValueNames: also of subgraphs', () => {
    const graph = buildGraph({ nodes: [LOOP], inputs: [value('trips', 'any')] });
    expect([...allValueNames(graph)].filter((name) => name !== '').sort()).toEqual([
      'a',
      'i',
      'inner',
      'next',
      'own',
      'trips',
      'w',
      'y',
    ]);
  });

  it('freshName: keeps clear of what is taken, and takes what it gives', () => {
    const taken = new Set(['p', 'p_2']);
    expect([freshName('p', taken), freshName('p', taken), freshName('q', taken)]).toEqual(['p_3', 'p_4', 'q']);
  });

  it('describeNode: by name, or by what it makes', () => {
    expect(describeNode(node('Conv', ['x'], ['y']))).toBe("Conv node 'make_y'");
    expect(describeNode(newNode({ opType: 'Conv', output: ['y'] }))).toBe("Conv node that makes 'y'");
  });
});

describe('attributes', () => {
  it('attributeOf, integerAttribute: by name, with the default of the specification', () => {
    const gemm = node('Gemm', ['x', 'w'], ['y'], attribute.int('transB', 0), attribute.float('alpha', 2));
    expect(integerAttribute(gemm, 'transB', 1)).toBe(0);
    expect(integerAttribute(gemm, 'transA', 1)).toBe(1);
    expect(attributeOf(gemm, 'alpha')?.f).toBe(2);
    expect(attributeOf(gemm, 'beta')).toBeUndefined();
  });
});
