import { describe, expect, it } from 'vitest';
import { assertDisjoint } from '../../src/dataset/assert-disjoint.ts';
import { openSampleSet } from '../../src/dataset/open-sample-set.ts';
import type { SampleSet } from '../../src/dataset/sample-set.ts';
import { fixture } from './fixtures.ts';
import { memoryFiles } from './memory-files.ts';
import { npy } from './npy-bytes.ts';
import { inputOf, preprocess } from './preprocess.ts';
import { npz } from './zip-bytes.ts';

/** One byte per sample, and labels that do not count as content. */
function bytesSet(path: string, ...samples: number[]): Promise<SampleSet> {
  const x = npy('|u1', [samples.length], Uint8Array.from(samples));
  const labels = npy('|u1', [samples.length], Uint8Array.from(samples.keys()));
  return openSampleSet({ path }, [inputOf([])], preprocess(), memoryFiles({ [path]: npz({ x, labels }) }));
}

const FIX =
  'fix: take calibration samples from other data: accuracy on data the quantization was fitted to says nothing';

describe('assertDisjoint', () => {
  it('assertDisjoint: sets without a common sample pass', async () => {
    await assertDisjoint(await bytesSet('/c.npz', 1, 2, 3), [0, 1, 2], await bytesSet('/e.npz', 4, 5), [0, 1]);
  });

  it('assertDisjoint: only the chosen samples count', async () => {
    const set = await bytesSet('/d.npz', 1, 2, 3, 4);
    await assertDisjoint(set, [0, 2], set, [1, 3]);
    await expect(assertDisjoint(set, [0, 2], set, [1, 2])).rejects.toThrow(
      '/d.npz: calibration = evaluation data: 1 of 2 calibration samples are evaluation samples too, ' +
        `the first is sample 2 of /d.npz = sample 2 of /d.npz\n  ${FIX}`,
    );
  });

  it('assertDisjoint: the same content in other files, at other places, under other labels is found', async () => {
    const [calibration, evaluation] = [await bytesSet('/c.npz', 9, 7, 8), await bytesSet('/e.npz', 8, 1, 7)];
    await expect(assertDisjoint(calibration, [0, 1, 2], evaluation, [0, 1, 2])).rejects.toThrow(
      '/c.npz: calibration = evaluation data: 2 of 3 calibration samples are evaluation samples too, ' +
        'the first is sample 1 of /c.npz = sample 2 of /e.npz',
    );
  });

  it('assertDisjoint: of several inputs, all must be the same', async () => {
    const inputs = [inputOf([], { name: 'a' }), inputOf([], { name: 'b' })];
    const pairs = (...b: number[]) => {
      const file = npz({ a: npy('|u1', [2], Uint8Array.of(1, 2)), b: npy('|u1', [2], Uint8Array.from(b)) });
      return openSampleSet({ path: '/d.npz' }, inputs, preprocess(), memoryFiles({ '/d.npz': file }));
    };
    await assertDisjoint(await pairs(1, 2), [0, 1], await pairs(3, 4), [0, 1]);
    await expect(assertDisjoint(await pairs(1, 2), [0, 1], await pairs(3, 2), [0, 1])).rejects.toThrow('sample 1 of');
  });

  it('assertDisjoint: pictures are found by their content and named', async () => {
    const folder = (path: string, ...names: string[]) => {
      const contents = Object.fromEntries(names.map((name, index) => [`${path}/${index}.jpg`, fixture(name)]));
      return openSampleSet({ path }, [inputOf([3, 9, 9])], preprocess(), memoryFiles(contents));
    };
    const calibration = await folder('/c', '444.jpg', '420.jpg');
    await assertDisjoint(calibration, [0, 1], await folder('/e', '422.jpg', '440.jpg'), [0, 1]);
    await expect(assertDisjoint(calibration, [0, 1], await folder('/e', '422.jpg', '420.jpg'), [0, 1])).rejects.toThrow(
      '1 of 2 calibration samples are evaluation samples too, the first is /c/1.jpg = /e/1.jpg',
    );
  });
});
