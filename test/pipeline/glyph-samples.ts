/** Samples of the example as numbers, to be stored in other ways or spoiled. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeNpy } from '../../src/dataset/npy-array.ts';
import { listZipEntries, readZipEntry } from '../../src/dataset/zip-archive.ts';
import { npy } from '../dataset/npy-bytes.ts';
import { npz } from '../dataset/zip-bytes.ts';
import { EXAMPLE } from './workspace.ts';

export const SIDE = 32;
const PIXELS = SIDE * SIDE;

export type GlyphSamples = {
  /** Shape [count, 1, 32, 32]. */
  readonly images: Uint8Array;
  /** Classes 0 … 15, shape [count]. */
  readonly labels: BigInt64Array;
};

export function readGlyphs(name: 'calibration' | 'evaluation'): GlyphSamples {
  const archive = new Uint8Array(readFileSync(join(EXAMPLE, 'data', `${name}.npz`)));
  const read = (array: string) => {
    const entry = listZipEntries(archive).find((found) => found.name === `${array}.npy`)!;
    return decodeNpy(readZipEntry(archive, entry, entry.sizeBytes)).data;
  };
  return { images: read('images') as Uint8Array, labels: read('labels') as BigInt64Array };
}

/** The first `count` samples, ordered by class. */
export function firstByClass({ images, labels }: GlyphSamples, count: number): GlyphSamples {
  const order = [...labels.subarray(0, count).keys()].sort((a, b) => Number(labels[a]! - labels[b]!) || a - b);
  const ordered = new Uint8Array(count * PIXELS);
  for (const [place, index] of order.entries()) ordered.set(imageOf(images, index), place * PIXELS);
  return { images: ordered, labels: BigInt64Array.from(order, (index) => labels[index]!) };
}

export function imageOf(images: Uint8Array, index: number): Uint8Array {
  return images.subarray(index * PIXELS, (index + 1) * PIXELS);
}

/** The images as NumPy would save them. */
export function imagesNpy({ images }: Pick<GlyphSamples, 'images'>): Uint8Array {
  return npy('|u1', [images.length / PIXELS, 1, SIDE, SIDE], images);
}

export function glyphsNpz({ images, labels }: GlyphSamples): Uint8Array {
  return npz({ images: imagesNpy({ images }), labels: npy('<i8', [labels.length], labels) });
}
