/** Real models on real data, where both lie beside the repository: what is read is what the models were trained to see. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { assertDisjoint } from '../../src/dataset/assert-disjoint.ts';
import { fixedBatchSize, readBatches } from '../../src/dataset/batches.ts';
import { checkLabels } from '../../src/dataset/labels.ts';
import { openSampleSet } from '../../src/dataset/open-sample-set.ts';
import type { InputSpec, SampleSet } from '../../src/dataset/sample-set.ts';
import { selectSamples } from '../../src/dataset/select-samples.ts';
import { nodeFiles } from '../../src/entry/files.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import type { Tensor } from '../../src/tensor.ts';
import { inputOf, preprocess } from './preprocess.ts';

const SHARED = resolve(dirname(fileURLToPath(import.meta.url)), '../../../shared');

const path = (name: string): string => `${SHARED}/${name}`;

const isAbsent = (...names: readonly string[]): boolean => !names.every((name) => existsSync(path(name)));

/** The outputs of the model for the samples at `indices`, one list of them per batch. */
async function runModel(model: string, set: SampleSet, indices: readonly number[], input: InputSpec) {
  const session = await openOnnxruntimeSession(readFileSync(path(model)));
  const outputs: { tensors: readonly Tensor[]; labels: Int32Array | undefined }[] = [];
  for await (const { feeds, labels } of readBatches(set, indices, 32, fixedBatchSize([input]))) {
    outputs.push({ tensors: Object.values(await session.run(feeds)), labels });
  }
  await session.release();
  return outputs;
}

function rangeOf({ data }: Tensor): [smallest: number, largest: number] {
  const ascending = Float64Array.from(data, Number).sort();
  return [ascending[0]!, ascending.at(-1)!];
}

/** The share of samples whose largest output is that of their class. */
async function top1(model: string, set: SampleSet, indices: readonly number[], input: InputSpec): Promise<number> {
  let correct = 0;
  for (const { tensors, labels } of await runModel(model, set, indices, input)) {
    const [{ dims, data }] = tensors as [Tensor];
    const classCount = dims.at(-1)!;
    for (const [item, label] of labels!.entries()) {
      const row = Array.from(data.slice(item * classCount, (item + 1) * classCount), Number);
      if (row.indexOf(Math.max(...row)) === label) correct++;
    }
  }
  return correct / indices.length;
}

const CIFAR_INPUT = inputOf([3, 32, 32], { name: 'input' });
const CIFAR_STEPS = preprocess({ scale: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });

describe.skipIf(isAbsent('data/cifar10-calibration.npz', 'data/cifar10-test-846.npz', 'models/resnet20-cifar10.onnx'))(
  'openSampleSet, CIFAR-10 in .npz files',
  () => {
    const open = (name: string) => openSampleSet({ path: path(`data/${name}`) }, [CIFAR_INPUT], CIFAR_STEPS, nodeFiles);

    it('openSampleSet: shapes, labels and ranges are those of the data set', async () => {
      const set = await open('cifar10-calibration.npz');
      expect(set.sampleCount).toBe(2048);
      expect(new Set(checkLabels(set, 10)).size).toBe(10);
      const { input } = await set.read(selectSamples(set, 64, 1));
      expect(input!.dims).toEqual([64, 3, 32, 32]);
      // (0 − 0.485) / 0.229 and (1 − 0.406) / 0.225
      const [smallest, largest] = rangeOf(input!);
      expect(smallest).toBeCloseTo(-2.1179, 3);
      expect(largest).toBeCloseTo(2.64, 3);
    });

    it('openSampleSet: ResNet-20 recognises what it reads', async () => {
      const set = await open('cifar10-test-846.npz');
      const indices = selectSamples(set, 128, 1);
      expect(await top1('models/resnet20-cifar10.onnx', set, indices, CIFAR_INPUT)).toBeGreaterThan(0.85);
    });

    it('assertDisjoint: calibration and test images have none in common', async () => {
      const [calibration, evaluation] = [await open('cifar10-calibration.npz'), await open('cifar10-test-846.npz')];
      const all = (set: SampleSet) => selectSamples(set, undefined, 0);
      await assertDisjoint(calibration, all(calibration), evaluation, all(evaluation));
      await expect(assertDisjoint(evaluation, [845], evaluation, all(evaluation))).rejects.toThrow(
        '1 of 1 calibration samples are evaluation samples too',
      );
    });
  },
);

describe.skipIf(isAbsent('data/imagenet-500', 'models/mobilenet-v1-075-imagenet.onnx'))(
  'openSampleSet, a folder of ImageNet photographs',
  () => {
    const input = inputOf([3, 224, 224], { name: 'input' });
    const steps = preprocess({ scale: 127.5, mean: [1], resize: 224 });
    const open = () => openSampleSet({ path: path('data/imagenet-500') }, [input], steps, nodeFiles);

    it('openSampleSet: one picture for every second class, labelled by its folder', async () => {
      const set = await open();
      expect(checkLabels(set, 1000)).toEqual(Int32Array.from({ length: 500 }, (_, index) => 2 * index));
      const { input: pictures } = await set.read([0, 499]);
      expect(pictures!.dims).toEqual([2, 3, 224, 224]);
      expect(rangeOf(pictures!)).toEqual([-1, 1]);
    });

    it('openSampleSet: MobileNet recognises what it reads', async () => {
      const set = await open();
      const indices = selectSamples(set, 12, 1);
      expect(await top1('models/mobilenet-v1-075-imagenet.onnx', set, indices, input)).toBeGreaterThan(0.5);
    });
  },
);

describe.skipIf(isAbsent('data/faces-27', 'models/ultraface-rfb-320.onnx'))(
  'openSampleSet, photographs for a detector of batch size 1',
  () => {
    const input = inputOf([3, 240, 320], { name: 'input', batch: 1 });
    const steps = preprocess({ mean: [127], std: [128] });

    it('openSampleSet: UltraFace finds a face in what it reads, one picture at a time', async () => {
      const set = await openSampleSet({ path: path('data/faces-27') }, [input], steps, nodeFiles);
      expect([set.sampleCount, set.labels]).toEqual([24, undefined]);
      const outputs = await runModel('models/ultraface-rfb-320.onnx', set, [0, 9, 18], input);
      expect(outputs).toHaveLength(3);
      for (const { tensors } of outputs) {
        // Of each anchor: no face, face.
        const scores = tensors.find(({ dims }) => dims.at(-1) === 2)!;
        const faces = Array.from(scores.data, Number).filter((_, index) => index % 2 === 1);
        expect(Math.max(...faces)).toBeGreaterThan(0.9);
      }
    });
  },
);
