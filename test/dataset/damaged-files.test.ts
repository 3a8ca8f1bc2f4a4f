/** Files that are cut or changed at random places: an error that is the user's to repair, or samples; never anything else. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openSampleSet } from '../../src/dataset/open-sample-set.ts';
import type { InputSpec } from '../../src/dataset/sample-set.ts';
import { UserError } from '../../src/errors.ts';
import { seededRandom } from '../../src/random.ts';
import { fixture } from './fixtures.ts';
import { memoryFiles } from './memory-files.ts';
import { inputOf, preprocess } from './preprocess.ts';

/** Far more than any of these files may take, far less than a size that one of them can declare. */
const MEMORY_LIMIT_BYTES = 64 * 2 ** 20;

type Damage = (random: () => number, data: Uint8Array) => Uint8Array;

const DAMAGES: Readonly<Record<string, Damage>> = {
  'one byte changed': (random, data) => changeBytes(random, data, 1),
  'ten bytes changed': (random, data) => changeBytes(random, data, 10),
  'one bit flipped': (random, data) => {
    const at = Math.floor(random() * data.length);
    return data.with(at, data[at]! ^ (1 << Math.floor(random() * 8)));
  },
  'bytes set to their extremes': (random, data) => {
    const copy = data.slice();
    const at = Math.floor(random() * data.length);
    copy.fill(random() < 0.5 ? 0xff : 0, at, at + 1 + Math.floor(random() * 4));
    return copy;
  },
  'a stretch removed': (random, data) => {
    const [from, length] = [Math.floor(random() * data.length), Math.floor(random() * 40)];
    return Uint8Array.from([...data.subarray(0, from), ...data.subarray(from + length)]);
  },
  'a stretch repeated': (random, data) => {
    const [from, length] = [Math.floor(random() * data.length), Math.floor(random() * 40)];
    return Uint8Array.from([...data.subarray(0, from + length), ...data.subarray(from)]);
  },
  'cut short': (random, data) => data.slice(0, Math.floor(random() * data.length)),
};

function changeBytes(random: () => number, data: Uint8Array, count: number): Uint8Array {
  const copy = data.slice();
  for (let change = 0; change < count; change++) copy[Math.floor(random() * data.length)] = Math.floor(random() * 256);
  return copy;
}

/** The chunks with checksums that match what they hold now, so that the damage reaches what lies behind that check. */
function withChecksums(png: Uint8Array): Uint8Array {
  const copy = Buffer.from(png);
  for (let offset = 8; offset + 12 <= copy.length; ) {
    const end = offset + 12 + copy.readUInt32BE(offset);
    if (end > copy.length) break;
    copy.writeUInt32BE(crc32(copy.subarray(offset + 4, end - 4)), end - 4);
    offset = end;
  }
  return new Uint8Array(copy);
}

/** Opens and reads everything; says how it ended. */
async function outcome(path: string, data: Uint8Array, input: InputSpec): Promise<'read' | 'refused'> {
  const isPicture = /\.(jpg|png)$/.test(path);
  const files = memoryFiles({ [path]: data });
  const source = { path: isPicture ? path.slice(0, path.lastIndexOf('/')) : path };
  try {
    const set = await openSampleSet(source, [input], preprocess(), files);
    await set.read(Array.from({ length: set.sampleCount }, (_, index) => index));
    return 'read';
  } catch (error) {
    if (error instanceof UserError && error.message.startsWith(path)) return 'refused';
    throw error;
  }
}

const PICTURE = inputOf([3, 8, 8]);

/** Files with the runs per kind of damage. */
const CASES: readonly (readonly [name: string, path: string, input: InputSpec, runCount: number])[] = [
  ['420.jpg', '/p/a.jpg', PICTURE, 60],
  ['420-progressive.jpg', '/p/a.jpg', PICTURE, 60],
  ['420-restart.jpg', '/p/a.jpg', PICTURE, 30],
  ['ycck.jpg', '/p/a.jpg', PICTURE, 30],
  ['png-3-4.png', '/p/a.png', PICTURE, 40],
  ['png-6-8-interlaced.png', '/p/a.png', PICTURE, 20],
  ['stored.npz', '/d/a.npz', inputOf([3, 2, 2]), 60],
  ['compressed.npz', '/d/a.npz', inputOf([3]), 60],
  ['big-endian.npy', '/d/a.npy', inputOf([3]), 60],
];

describe('openSampleSet, damaged files', () => {
  it.each(CASES)('openSampleSet: the undamaged %s is read', async (name, path, input) => {
    expect(await outcome(path, fixture(name), input)).toBe('read');
  });

  for (const [name, path, input, runCount] of CASES) {
    it(`openSampleSet: ${name}, damaged, is read or refused, in little memory`, async () => {
      const data = fixture(name);
      const counts = { read: 0, refused: 0 };
      for (const [kind, damage] of Object.entries(DAMAGES)) {
        for (let seed = 1; seed <= runCount; seed++) {
          const changed = damage(seededRandom(seed), data);
          const damaged = path.endsWith('.png') ? withChecksums(changed) : changed;
          const before = process.memoryUsage().arrayBuffers;
          const end = await outcome(path, damaged, input).catch((cause: unknown) => {
            throw new Error(`${name}, ${kind}, seed ${seed}`, { cause });
          });
          const taken = process.memoryUsage().arrayBuffers - before;
          expect(taken, `bytes taken by ${name}, ${kind}, seed ${seed}`).toBeLessThan(MEMORY_LIMIT_BYTES);
          counts[end]++;
        }
      }
      // Both must happen, or the damage does not reach what it is meant to test.
      expect(counts.refused).toBeGreaterThan(runCount);
      expect(counts.read).toBeGreaterThan(0);
    });
  }
});
