import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/dataset/format-error.ts';
import { decodeImage } from '../../src/dataset/image/decode-image.ts';
import { decodePng } from '../../src/dataset/image/png/decode-png.ts';
import { fixture, fixtureNames, pixelFixture } from './fixtures.ts';
import { joined } from './npy-bytes.ts';
import { chunk, END, type Header, header, png, SIGNATURE } from './png-bytes.ts';

function messageOf(data: Uint8Array): string {
  try {
    decodeImage(data);
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
  throw new Error('decoded without an error');
}

describe('decodePng, against Pillow', () => {
  const names = fixtureNames('.png');

  it('decodePng: the fixtures are every colour type, every bit depth and interlaced ones', () => {
    const kinds = new Set(names.map((name) => name.replace('-interlaced', '').slice(4, -4)));
    expect([...kinds].sort()).toEqual(
      [
        '0-1',
        '0-2',
        '0-4',
        '0-8',
        '0-16',
        '2-8',
        '2-16',
        '3-1',
        '3-2',
        '3-4',
        '3-8',
        '4-8',
        '4-16',
        '6-8',
        '6-16',
      ].sort(),
    );
    expect(names.filter((name) => name.includes('interlaced'))).toHaveLength(7);
  });

  it.each(names)('decodePng: the pixels of %s are those of Pillow', (name) => {
    expect(decodePng(fixture(name))).toEqual(pixelFixture(name));
  });

  it('decodePng: a picture of one pixel has fewer passes than interlacing knows', () => {
    const data = png({ width: 1, methods: [0, 0, 1] }, Uint8Array.of(0, 7, 8, 9));
    expect(decodePng(data)).toEqual({ width: 1, height: 1, data: Uint8Array.of(7, 8, 9) });
  });
});

describe('decodePng, damage', () => {
  const LINE = Uint8Array.of(0, 1, 2, 3, 4, 5, 6);

  it('decodePng: the small picture that the cases below damage is read', () => {
    expect(decodePng(png({}, LINE))).toEqual({ width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  });

  it.each<[Header, string]>([
    [{ colourType: 1 }, 'declares colour type 1 with 8 bits, which PNG does not know'],
    [{ colourType: 7 }, 'declares colour type 7 with 8 bits, which PNG does not know'],
    [{ bitDepth: 4 }, 'declares colour type 2 with 4 bits, which PNG does not know'],
    [{ bitDepth: 16, colourType: 3 }, 'declares colour type 3 with 16 bits, which PNG does not know'],
    [{ methods: [1, 0, 0] }, 'declares a compression, filter or interlace method that PNG does not know'],
    [{ methods: [0, 1, 0] }, 'declares a compression, filter or interlace method that PNG does not know'],
    [{ methods: [0, 0, 2] }, 'declares a compression, filter or interlace method that PNG does not know'],
    [{ width: 0 }, 'declares a size of 0×1 pixels'],
    [
      { width: 2 ** 31 - 1, height: 2 ** 31 - 1 },
      'declares 2147483647×2147483647 pixels, more than the 67108864 that are decoded',
    ],
    [{ height: 2 }, 'is truncated: pixels are missing'],
  ])('decodePng: header %j is refused', (fields, message) => {
    expect(messageOf(png(fields, LINE))).toBe(message);
  });

  it.each([
    ['no header', joined(SIGNATURE, chunk('IDAT', deflateSync(LINE)), END), 'has no header chunk'],
    ['a short header', joined(SIGNATURE, chunk('IHDR', new Uint8Array(12)), END), 'has a damaged header chunk'],
    ['no end', joined(SIGNATURE, header()), 'is truncated: its end chunk is missing'],
    ['a cut chunk', png({}, LINE).subarray(0, 50), 'is truncated inside a chunk'],
    ['an unknown filter', png({}, LINE.with(0, 5)), 'uses filter 5, which PNG does not know'],
    ['a flipped bit', png({}, LINE).with(20, 0x80), 'is damaged: the checksum of its chunk at byte 8 does not match'],
    [
      'no pixels',
      joined(SIGNATURE, header(), END),
      'holds pixel data that cannot be inflated (unexpected end of file)',
    ],
    [
      'more pixels than declared',
      png({}, joined(LINE, LINE)),
      'holds pixel data that cannot be inflated (Cannot create a Buffer larger than 7 bytes)',
    ],
  ])('decodePng: %s is refused', (_, bytes, message) => {
    expect(messageOf(bytes)).toBe(message);
  });

  it('decodePng: a colour that the palette lacks is refused', () => {
    const data = png({ colourType: 3 }, Uint8Array.of(0, 0, 1), chunk('PLTE', Uint8Array.of(1, 2, 3)));
    expect(messageOf(data)).toBe('uses colour 1, which its palette lacks');
    expect(messageOf(png({ colourType: 3 }, Uint8Array.of(0, 0, 1)))).toBe('uses colour 0, which its palette lacks');
  });

  it('decodePng: a file cut anywhere is refused', () => {
    const data = fixture('png-3-4.png');
    for (let length = 0; length < data.length; length++) {
      expect(() => decodeImage(data.subarray(0, length)), `${length} bytes`).toThrow(FormatError);
    }
  });

  it('decodePng: no more is inflated than the header says there is', () => {
    const bomb = png({}, new Uint8Array(2 ** 24));
    expect(bomb.length).toBeLessThan(2 ** 17);
    const before = process.memoryUsage().arrayBuffers;
    expect(messageOf(bomb)).toMatch(/^holds pixel data that cannot be inflated/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });

  it('decodePng: a large declared size takes no memory while its pixels are missing', () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(messageOf(png({ width: 8192, height: 8192, colourType: 6, bitDepth: 16 }, LINE))).toBe(
      'is truncated: pixels are missing',
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});
