import { describe, expect, it } from 'vitest';
import type { DataConfig } from '../../src/config/config.ts';
import { type Data, openData, readAll } from '../../src/dataset/open-data.ts';
import type { InputSpec } from '../../src/dataset/sample-set.ts';
import { memoryFiles } from './memory-files.ts';
import { npy } from './npy-bytes.ts';
import { inputOf, preprocess } from './preprocess.ts';
import { npz } from './zip-bytes.ts';

/** Samples of one number each, from `first` on. */
function numbers(first: number, sampleCount: number): Uint8Array {
  const data = Float32Array.from({ length: sampleCount }, (_, index) => first + index);
  const labels = Uint8Array.from({ length: sampleCount }, (_, index) => index % 10);
  return npz({ x: npy('<f4', [sampleCount, 1], data), labels: npy('|u1', [sampleCount], labels) });
}

const FILES = memoryFiles({ '/c.npz': numbers(0, 150), '/e.npz': numbers(1000, 70), '/same.npz': numbers(100, 100) });

async function open(changes: Partial<DataConfig> = {}, input: InputSpec = inputOf([1])) {
  const config = {
    calibration: { path: '/c.npz' },
    evaluation: { path: '/e.npz' },
    preprocess: preprocess(),
    ...changes,
  };
  return (await openData(config, [input], 0, FILES)) as Required<Data>;
}

describe('openData', () => {
  it('openData: batches of both sets hold the chosen samples once each, with their labels', async () => {
    const { calibration, evaluation } = await open({ calibration: { path: '/c.npz', sampleCount: 100 } });
    expect([calibration.indices.length, evaluation.indices.length]).toEqual([100, 70]);
    const batches = await readAll(calibration.batches());
    expect(batches.map(({ sampleCount }) => sampleCount)).toEqual([64, 36]);
    expect(batches.flatMap(({ feeds }) => Array.from(feeds.x!.data, Number))).toEqual(calibration.indices);
    expect(batches.flatMap(({ labels }) => [...labels!])).toEqual(calibration.indices.map((index) => index % 10));
    expect((await readAll(evaluation.batches())).map(({ sampleCount }) => sampleCount)).toEqual([64, 6]);
  });

  it('openData: batches can be read again, and are the same', async () => {
    const { evaluation } = await open();
    expect(await readAll(evaluation.batches())).toEqual(await readAll(evaluation.batches()));
  });

  it("openData: the model's own batch size is kept", async () => {
    const { evaluation } = await open({}, inputOf([1], { batch: 50 }));
    const batches = await readAll(evaluation.batches());
    expect(batches.map(({ feeds, sampleCount }) => [feeds.x!.dims[0], sampleCount])).toEqual([
      [50, 50],
      [50, 20],
    ]);
  });

  it.each([
    [[1], 130, [64, 64, 2]],
    [[3, 224, 224], 20, [16, 4]],
    [[3, 900, 900], 2, [1, 1]],
  ])('openData: samples of shape %j come in batches that fit in memory', async (dims, sampleCount, sizes) => {
    const sampleLength = dims.reduce((product, dim) => product * dim);
    const pictures = (level: number) => {
      const data = new Uint8Array(sampleCount * sampleLength).fill(level);
      return npz({ x: npy('|u1', [sampleCount, ...dims], data) }, true);
    };
    const files = memoryFiles({ '/c.npz': pictures(1), '/e.npz': pictures(2) });
    const config = { calibration: { path: '/c.npz' }, evaluation: { path: '/e.npz' }, preprocess: preprocess() };
    const { calibration } = await openData(config, [inputOf(dims, { elementType: 'uint8' })], 0, files);
    const found: number[] = [];
    for await (const { sampleCount } of calibration.batches()) found.push(sampleCount);
    expect(found).toEqual(sizes);
  });

  it('openData: without evaluation samples, the others alone', async () => {
    const config = { calibration: { path: '/c.npz' }, preprocess: preprocess() };
    const data = await openData(config, [inputOf([1])], 0, FILES);
    expect(Object.keys(data)).toEqual(['calibration']);
    expect(data.calibration.indices).toHaveLength(150);
  });

  it('openData: sets that share samples are refused', async () => {
    await expect(open({ evaluation: { path: '/same.npz' } })).rejects.toThrow(
      '/c.npz: calibration = evaluation data: 50 of 150 calibration samples are evaluation samples too, ' +
        'the first is sample 100 of /c.npz = sample 0 of /same.npz',
    );
  });

  it('openData: fewer samples than asked are refused, in either set', async () => {
    await expect(open({ calibration: { path: '/c.npz', sampleCount: 151 } })).rejects.toThrow(
      '/c.npz: there are 150 samples, but 151 are asked for',
    );
    await expect(open({ evaluation: { path: '/e.npz', sampleCount: 71 } })).rejects.toThrow(
      '/e.npz: there are 70 samples, but 71 are asked for',
    );
  });
});
