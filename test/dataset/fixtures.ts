/** What fixtures/make_fixtures.py wrote: files made by Pillow and NumPy, and the pixels that Pillow reads from them. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PixelImage } from '../../src/dataset/image/pixel-image.ts';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), 'fixtures');

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(FOLDER, name)));
}

export function fixtureNames(ending: string): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(ending))
    .sort();
}

/** A picture of the binary PPM format: "P6", width, height and 255 in text, then RGB bytes. */
export function pixelFixture(name: string): PixelImage {
  const bytes = fixture(`${name}.ppm`);
  const header = new TextDecoder('latin1').decode(bytes.subarray(0, 40));
  const [text, width, height] = /^P6\n(\d+) (\d+)\n255\n/.exec(header) ?? [];
  if (text === undefined) throw new Error(`${name}.ppm is no binary PPM file`);
  return { width: Number(width), height: Number(height), data: bytes.subarray(text.length) };
}
