/** Weights and samples from which nothing can be estimated: the result is right, not an error. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { floatTensor } from '../../src/onnx/tensor-values.ts';
import type { GateReport } from '../../src/report/gate-report.ts';
import { elementCount } from '../../src/tensor.ts';
import { encodeModelProto, type ModelProto, type TensorProto } from '../../src/wire/model-proto.ts';
import { npy } from '../dataset/npy-bytes.ts';
import { npz } from '../dataset/zip-bytes.ts';
import {
  buildModel,
  floatInput,
  node,
  relativeDifference,
  runModel,
  seededFloats,
  value,
  weight,
} from '../onnx/small-model.ts';
import { bitgate } from './bitgate.ts';
import { newFolder, readResult, type Settings, writeConfig, writeTo } from './workspace.ts';

/** x → MatMul → Relu → MatMul … → y, one layer per weight [inputs, outputs]. */
function chain(weights: readonly TensorProto[]): ModelProto {
  const nodes = weights.flatMap(({ name }, layer) => {
    const input = layer === 0 ? 'x' : `r${layer - 1}`;
    if (layer === weights.length - 1) return [node('MatMul', [input, name!], ['y'])];
    return [node('MatMul', [input, name!], [`h${layer}`]), node('Relu', [`h${layer}`], [`r${layer}`])];
  });
  const [first, last] = [weights[0]!.dims[0]!, weights.at(-1)!.dims[1]!].map(Number) as [number, number];
  const ends = { inputs: [value('x', ['N', first])], outputs: [value('y', ['N', last])] };
  return buildModel({ nodes, initializers: weights, ...ends });
}

type Rows = (count: number, width: number, seed: number) => Float32Array;

const random: Rows = (count, width, seed) => seededFloats(count * width, seed);
/** The same sample again and again. */
const constant: Rows = (count, width, seed) => new Float32Array(count * width).fill(seed === 1 ? 0.5 : 0.25);
/** Calibration sees nothing but zeros. */
const zeros: Rows = (count, width, seed) => (seed === 1 ? new Float32Array(count * width) : random(count, width, seed));

/** A run that has to pass, and how far its artifact is from the float model on other samples. */
async function run(model: ModelProto, settings: Settings, rows: Rows = random): Promise<Ran> {
  const folder = newFolder();
  const width = Number(model.graph!.initializer[0]!.dims[0]);
  writeTo(folder, 'm.onnx', encodeModelProto(model));
  writeTo(folder, 'c.npz', npz({ x: npy('<f4', [64, width], rows(64, width, 1)) }));
  writeTo(folder, 'e.npz', npz({ x: npy('<f4', [64, width], rows(64, width, 2)) }));
  const data = { calibration: { path: 'c.npz', samples: 64 }, evaluation: { path: 'e.npz' }, preprocess: {} };
  writeConfig(folder, { model: 'm.onnx', data, gate: { metric: 'kl', max: 0.01 }, budget: { bits: 8 }, ...settings });
  const { exitCode, stderr } = await bitgate(['run'], folder);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  const artifact = new Uint8Array(readFileSync(join(folder, 'out/quantized.onnx')));
  const feeds = { x: floatInput([16, width], 3) };
  const difference = relativeDifference(await runModel(artifact, feeds), await runModel(model, feeds));
  return { result: readResult(folder), difference };
}

type Ran = { readonly result: GateReport; readonly difference: number };

function tensor(name: string, dims: readonly number[], numberAt: (index: number) => number): TensorProto {
  return floatTensor(
    name,
    dims,
    Float32Array.from({ length: elementCount(dims) }, (_, index) => numberAt(index)),
  );
}

/** Random, with the first output channel all zero. */
function withDeadChannel(name: string, [inputs, outputs]: readonly [number, number], seed: number): TensorProto {
  const numbers = seededFloats(inputs * outputs, seed);
  return tensor(name, [inputs, outputs], (index) => (index % outputs === 0 ? 0 : numbers[index]!));
}

/** Every way to round, with and without what is fitted; each form of the artifact is among them. */
const QUANTIZERS = [
  { method: 'rtn', correct: 'none', format: 'packed' },
  { method: 'rtn', correct: 'affine', format: 'qdq' },
  { method: 'gptq', correct: 'affine', format: 'packed' },
  { method: 'gptq', correct: 'bias', format: 'qdq' },
  { method: 'gpfq', correct: 'affine', format: 'packed' },
].map((quantizer) => ({ bits: [4, 8], ...quantizer }));

describe.each(QUANTIZERS)('degenerate weights and inputs, $method, $correct, $format', (quantize) => {
  it('run: a weight of a single element', async () => {
    const { difference } = await run(chain([tensor('a', [1, 1], () => 0.7), weight('b', [1, 3], 4)]), { quantize });
    expect(difference).toBeLessThan(0.01);
  });

  it('run: a layer whose weights are all zero', async () => {
    const zero = tensor('z', [5, 5], () => 0);
    const { result, difference } = await run(chain([weight('a', [4, 5], 3), zero, weight('b', [5, 3], 4)]), {
      quantize,
    });
    // Nothing does any harm, so nothing takes more than it needs.
    expect(result.klToFloat).toBe(0);
    expect(difference).toBe(0);
  });

  it('run: a dead channel', async () => {
    const { difference } = await run(chain([withDeadChannel('a', [4, 5], 3), weight('b', [5, 3], 4)]), { quantize });
    expect(difference).toBeLessThan(0.02);
  });

  it.each([
    ['constant', constant],
    ['zero', zeros],
  ])('run: calibration inputs that are %s', async (_, rows) => {
    const { result, difference } = await run(
      chain([weight('a', [4, 5], 3), weight('b', [5, 3], 4)]),
      { quantize },
      rows,
    );
    expect(result.allocation.every(({ bits }) => bits === 4 || bits === 8)).toBe(true);
    expect(difference).toBeLessThan(0.3);
  });
});

describe('degenerate choices', () => {
  const TWO_LAYERS = chain([weight('a', [4, 5], 3), weight('b', [5, 3], 4)]);
  const EVERYTHING = { sensitivity: { method: 'pairwise' }, search: { 'time-limit': 10 } };

  it.each([
    ['one layer', chain([weight('b', [5, 3], 4)]), { bits: [4, 8] }],
    ['one width', TWO_LAYERS, { bits: [8] }],
    ['every layer pinned', TWO_LAYERS, { bits: [2], pin: { '*': 8 } }],
  ])('run: %s leaves nothing to choose', async (_, model, quantize) => {
    const settings = { ...EVERYTHING, quantize: { ...quantize, method: 'gptq', correct: 'affine' } };
    const { result, difference } = await run(model, settings);
    expect(result.allocation.every(({ bits }) => bits === 8)).toBe(true);
    expect(difference).toBeLessThan(0.01);
  });

  it.each(['none', 'affine'])('run: every layer left in float is the same model, correction %s', async (correct) => {
    const settings = { ...EVERYTHING, budget: { bits: 32 }, quantize: { pin: { '*': 'float' }, correct } };
    const { result, difference } = await run(TWO_LAYERS, settings);
    expect(result.allocation.map(({ bits }) => bits)).toEqual([32, 32]);
    expect(result.sensitivity).toMatchObject({ singles: 0, pairs: 0 });
    expect(difference).toBe(0);
  });

  it('run: weights far from one, tiny and huge', async () => {
    const [tiny, huge] = [seededFloats(20, 3), seededFloats(15, 4)];
    const model = chain([tensor('a', [4, 5], (i) => tiny[i]! * 1e-20), tensor('b', [5, 3], (i) => huge[i]! * 1e20)]);
    const { difference } = await run(model, { quantize: { bits: [8], method: 'gptq', correct: 'affine' } });
    expect(difference).toBeLessThan(0.02);
  });
});
