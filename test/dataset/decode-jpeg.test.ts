import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/dataset/format-error.ts';
import { decodeImage } from '../../src/dataset/image/decode-image.ts';
import { decodeJpeg } from '../../src/dataset/image/jpeg/decode-jpeg.ts';
import { fixture, fixtureNames, pixelFixture } from './fixtures.ts';
import { joined } from './npy-bytes.ts';

const BASELINE = fixture('444.jpg');

/** Offset of the first marker with this code: of its 0xFF byte. */
function markerOffset(data: Uint8Array, code: number): number {
  const offset = Buffer.from(data).indexOf(Buffer.of(0xff, code));
  if (offset < 0) throw new Error(`no marker ${code.toString(16)}`);
  return offset;
}

/** The file with bytes replaced from `offset` behind the marker on. */
function patched(data: Uint8Array, code: number, offset: number, ...bytes: number[]): Uint8Array {
  const copy = data.slice();
  copy.set(bytes, markerOffset(data, code) + 2 + offset);
  return copy;
}

function messageOf(data: Uint8Array): string {
  try {
    decodeImage(data);
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
  throw new Error('decoded without an error');
}

const [DQT, SOF0, SOF2, DHT, SOS, EOI, APP1] = [0xdb, 0xc0, 0xc2, 0xc4, 0xda, 0xd9, 0xe1] as const;

describe('decodeJpeg, against Pillow', () => {
  const names = fixtureNames('.jpg');

  it('decodeJpeg: the fixtures cover what they are meant to', () => {
    expect(names).toEqual([
      '410.jpg',
      '411.jpg',
      '420-narrow.jpg',
      '420-progressive.jpg',
      '420-restart.jpg',
      '420.jpg',
      '422.jpg',
      '440.jpg',
      '444.jpg',
      'cmyk.jpg',
      'exif-rotated.jpg',
      'grey-progressive.jpg',
      'grey.jpg',
      'luma-subsampled.jpg',
      'progressive-restart.jpg',
      'rgb.jpg',
      'three-scans.jpg',
      'ycck.jpg',
    ]);
    expect(markerOffset(fixture('420-progressive.jpg'), SOF2)).toBeGreaterThan(0);
    for (const name of ['420-restart.jpg', 'progressive-restart.jpg']) markerOffset(fixture(name), 0xd0);
  });

  it.each(names)('decodeJpeg: the pixels of %s are those of Pillow', (name) => {
    expect(decodeJpeg(fixture(name))).toEqual(pixelFixture(name));
  });

  it('decodeJpeg: orientation in EXIF is not applied, as training pipelines read their pictures', () => {
    const rotated = fixture('exif-rotated.jpg');
    markerOffset(rotated, APP1);
    const { width, height } = decodeJpeg(rotated);
    expect([width, height]).toEqual([37, 21]);
  });

  it('decodeJpeg: bytes before and behind the picture that belong to no segment are passed over', () => {
    const expected = pixelFixture('444.jpg');
    expect(decodeJpeg(joined(BASELINE, Buffer.from('trailing \xff\xd8 bytes', 'latin1')))).toEqual(expected);
    const filled = joined(BASELINE.subarray(0, 2), Uint8Array.of(0xff, 0xff, 0xff), BASELINE.subarray(2));
    expect(decodeJpeg(filled)).toEqual(expected);
  });

  it('decodeJpeg: the file is only read, also where it is a part of a larger buffer', () => {
    const padded = joined(new Uint8Array(3), BASELINE, new Uint8Array(3));
    const view = padded.subarray(3, -3);
    expect(decodeJpeg(view)).toEqual(pixelFixture('444.jpg'));
    expect(view).toEqual(BASELINE);
  });
});

describe('decodeJpeg, kinds that are not handled', () => {
  it.each([
    [0xc3, 'is a lossless JPEG, which is not supported'],
    [0xc5, 'is a hierarchical JPEG, which is not supported'],
    [0xc9, 'is an arithmetic-coded JPEG, which is not supported'],
    [0xca, 'is an arithmetic-coded JPEG, which is not supported'],
    [0xcf, 'is an arithmetic-coded JPEG, which is not supported'],
  ])('decodeJpeg: frame type %i is named', (code, message) => {
    expect(messageOf(patched(BASELINE, SOF0, -1, code))).toBe(message);
  });

  it.each([
    [[2, 12], 'is a JPEG of 12 bits per sample; 8 are supported'],
    [[7, 2], 'is a JPEG of 2 colour components'],
    [[9, 0x51], 'has sampling factors of 5×1'],
    [[9, 0x10], 'has sampling factors of 1×0'],
    [[9, 0x31, 1, 2, 0x21], 'has sampling factors whose ratios are no whole numbers'],
    [[3, 0, 0], 'declares a size of 37×0 pixels'],
    [[3, 0, 21, 0, 0], 'declares a size of 0×21 pixels'],
    [[0, 0, 9], 'has a damaged frame header'],
  ])('decodeJpeg: a frame header with bytes %j is refused', ([offset, ...bytes], message) => {
    expect(messageOf(patched(BASELINE, SOF0, offset!, ...bytes!))).toBe(message);
  });

  it('decodeJpeg: a frame larger than what is decoded is refused', () => {
    expect(messageOf(patched(BASELINE, SOF0, 3, 0xff, 0xff, 0xff, 0xff))).toBe(
      'declares 65535×65535 pixels, more than the 67108864 that are decoded',
    );
  });

  it('decodeJpeg: a frame that needs more bits than the file has is refused before memory is taken', () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(messageOf(patched(BASELINE, SOF0, 3, 0x1f, 0xff, 0x1f, 0xff))).toBe(
      'declares 8191×8191 pixels, more than its bytes can hold',
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});

describe('decodeJpeg, damage', () => {
  it.each([
    ['nothing', new Uint8Array(0), 'is empty'],
    ['text', Buffer.from('GIF89a'), 'is neither a JPEG nor a PNG file'],
    ['a signature alone', Uint8Array.of(0xff, 0xd8), 'is truncated: the picture is not complete'],
    ['a signature and an end', Uint8Array.of(0xff, 0xd8, 0xff, 0xd9), 'is truncated: the picture is not complete'],
  ])('decodeImage: %s is refused', (_, bytes, message) => {
    expect(messageOf(bytes)).toBe(message);
  });

  it('decodeJpeg: a scan before the frame is refused', () => {
    const scan = BASELINE.subarray(markerOffset(BASELINE, SOS));
    expect(messageOf(joined(BASELINE.subarray(0, 2), scan))).toBe('has a scan before its frame header');
  });

  it('decodeJpeg: two frames are refused', () => {
    const start = markerOffset(BASELINE, SOF0);
    const frame = BASELINE.subarray(start, start + 19);
    expect(messageOf(joined(BASELINE.subarray(0, start), frame, BASELINE.subarray(start)))).toBe(
      'has more than one frame',
    );
  });

  it('decodeJpeg: more scans than any encoder writes are refused, because each costs time', () => {
    const whole = fixture('grey.jpg');
    const [start, end] = [markerOffset(whole, SOS), markerOffset(whole, EOI)];
    const scan = whole.subarray(start, end);
    const withScans = (count: number) =>
      joined(whole.subarray(0, start), ...Array<Uint8Array>(count).fill(scan), whole.subarray(end));
    expect(decodeJpeg(withScans(100))).toEqual(pixelFixture('grey.jpg'));
    expect(messageOf(withScans(101))).toBe('has more than 100 scans');
  });

  it.each([
    ['quantization table', DQT, [2, 0x20], 'has a damaged quantization table'],
    ['quantization table', DQT, [0, 0, 40], 'has a damaged quantization table'],
    ['Huffman table', DHT, [2, 0x20], 'has a damaged Huffman table'],
    ['Huffman table', DHT, [3, 3, 1, 5, 1, 1, 1, 0, 0, 0], 'has an invalid Huffman table'],
    ['scan header', SOS, [2, 0], 'has a damaged scan header'],
    ['scan header', SOS, [3, 77], 'has a scan of a component that its frame lacks'],
    ['scan header', SOS, [4, 0x33], 'lacks a table that its scan needs'],
    ['scan header', SOS, [9, 5, 4], 'has a damaged scan header'],
    ['scan header', SOS, [10, 64], 'has a damaged scan header'],
  ])('decodeJpeg: a damaged %s is refused (marker %i, bytes %j)', (_, code, [offset, ...bytes], message) => {
    expect(messageOf(patched(BASELINE, code, offset!, ...bytes))).toBe(message);
  });

  it('decodeJpeg: a restart interval out of order is refused', () => {
    const data = fixture('420-restart.jpg');
    expect(messageOf(patched(data, 0xd1, -1, 0xd5))).toBe('has a damaged restart interval');
  });

  it.each(['444.jpg', '420-restart.jpg', '420-progressive.jpg', 'three-scans.jpg', 'cmyk.jpg'])(
    'decodeJpeg: %s cut anywhere before its last marker is an error, never a half grey picture',
    (name) => {
      const data = fixture(name);
      expect(data.subarray(-2)).toEqual(Uint8Array.of(0xff, EOI));
      for (let length = 0; length < data.length - 3; length++) {
        expect(() => decodeImage(data.subarray(0, length)), `${length} bytes`).toThrow(FormatError);
      }
    },
  );

  it('decodeJpeg: only a progressive picture needs its end marker, because it would be whole without its last scan', () => {
    expect(decodeJpeg(BASELINE.subarray(0, -2))).toEqual(pixelFixture('444.jpg'));
    expect(messageOf(fixture('420-progressive.jpg').subarray(0, -2))).toBe('is truncated: the picture is not complete');
  });
});
