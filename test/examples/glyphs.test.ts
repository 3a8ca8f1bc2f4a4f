import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse-config.ts';
import { assertDisjoint } from '../../src/dataset/assert-disjoint.ts';
import { readBatches } from '../../src/dataset/batches.ts';
import { openSampleSet } from '../../src/dataset/open-sample-set.ts';
import type { SampleSet } from '../../src/dataset/sample-set.ts';
import { nodeFiles } from '../../src/entry/files.ts';
import { listLayers } from '../../src/onnx/list-layers.ts';
import { decodeModel } from '../../src/onnx/model.ts';
import { modelInputs } from '../../src/onnx/model-inputs.ts';
import { prepareModel } from '../../src/onnx/prepare-model.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import { branchGraph, type Perturbation } from '../../src/sensitivity/branch-graph.ts';
import { roundedCandidates } from '../sensitivity/rounded-candidates.ts';

const CONFIG = resolve(import.meta.dirname, '../../examples/glyphs/bitgate.yml');
const text = readFileSync(CONFIG, 'utf8');
const config = parseConfig(text, CONFIG);
const original = await decodeModel(readFileSync(config.modelPath), config.modelPath, () => {
  throw new Error('the example has no external data');
});
const model = prepareModel(original);
const layers = listLayers(model);
const inputs = modelInputs(model);
const open = (path: string) => openSampleSet({ path }, inputs, config.data.preprocess, nodeFiles);
const calibration = await open(config.data.calibration.path);
const evaluation = await open(config.data.evaluation!.path);

const allOf = ({ sampleCount }: SampleSet) => Array.from({ length: sampleCount }, (_, index) => index);

/** Top-1 accuracy on the evaluation set with some initializers replaced. */
async function accuracyOf(base: Perturbation): Promise<number> {
  const graph = branchGraph(model, base, [], { withBaseOutputs: true });
  const session = await openOnnxruntimeSession(graph.bytes);
  let hits = 0;
  for await (const { feeds, labels, sampleCount } of readBatches(evaluation, allOf(evaluation), 256)) {
    const { data, dims } = (await session.run(feeds))[graph.baseOutputs[0]!]!;
    for (let sample = 0; sample < sampleCount; sample++) {
      const scores = Array.from(data.slice(sample * dims[1]!, (sample + 1) * dims[1]!), Number);
      if (scores.indexOf(Math.max(...scores)) === labels![sample]) hits += 1;
    }
  }
  await session.release();
  return hits / evaluation.sampleCount;
}

describe('examples/glyphs', () => {
  it('opens with the line that editors find the schema by', () => {
    const [, schema] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
    expect(statSync(resolve(CONFIG, '..', schema!)).isFile()).toBe(true);
  });

  it('is small: a float model of at most 600 kB, data of at most 700 kB', () => {
    expect(statSync(config.modelPath).size).toBeLessThanOrEqual(600_000);
    const dataSizes = [config.data.calibration.path, config.data.evaluation!.path].map((path) => statSync(path).size);
    expect(dataSizes[0]! + dataSizes[1]!).toBeLessThanOrEqual(700_000);
  });

  it('has enough samples, none of them twice, all classes equally often', async () => {
    expect([calibration.sampleCount, evaluation.sampleCount]).toEqual([1024, 2048]);
    await assertDisjoint(calibration, allOf(calibration), evaluation, allOf(evaluation));
    expect(new Set(await evaluation.contentHashes(allOf(evaluation))).size).toBe(2048);
    for (const { labels, sampleCount } of [calibration, evaluation]) {
      const counts = new Array<number>(16).fill(0);
      for (const label of labels!) counts[label]! += 1;
      expect(counts).toEqual(new Array(16).fill(sampleCount / 16));
    }
  });

  it('has layers of several kinds under readable names, BatchNormalization to fold, and a free batch size', () => {
    expect(layers.map(({ name }) => name)).toEqual([
      'stem',
      ...['block1.conv1', 'block1.conv2', 'down1.depthwise', 'down1.pointwise'],
      ...['block2.conv1', 'block2.conv2', 'down2.depthwise', 'down2.pointwise'],
      ...['block3.conv1', 'block3.conv2', 'head'],
    ]);
    const opTypes = original.graph.node.map(({ opType }) => opType);
    expect(opTypes.filter((opType) => opType === 'BatchNormalization')).toHaveLength(11);
    expect(inputs).toMatchObject([{ name: 'images', dims: [undefined, 1, 32, 32] }]);
  });

  it('is worth mixing widths for: float is at 97 % or more, two bits everywhere are ruinous, eight are not', async () => {
    const uniform = async (width: number) => {
      const offered = layers.map(() => [width]);
      const candidates = await roundedCandidates(model, layers, offered);
      return new Map(candidates.flatMap(({ perturbation }) => [...perturbation]));
    };
    const float = await accuracyOf(new Map());
    expect(float).toBeGreaterThanOrEqual(0.97);
    expect(await accuracyOf(await uniform(2))).toBeLessThan(0.5);
    expect(await accuracyOf(await uniform(8))).toBeGreaterThan(float - 0.005);
  });
});
