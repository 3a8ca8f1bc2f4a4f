import { describe, expect, it } from 'vitest';
import { parseByteSize, parsePercent } from '../../src/config/byte-size.ts';

describe('parseByteSize', () => {
  it.each([
    [125000, 125000],
    ['125000', 125000],
    ['1 B', 1],
    ['125 KB', 125_000],
    ['125kB', 125_000],
    ['1.2 MB', 1_200_000],
    ['1.1 MB', 1_100_000],
    ['2 GB', 2_000_000_000],
    ['300 KiB', 307_200],
    ['1.5 MiB', 1_572_864],
    ['1 GiB', 1_073_741_824],
    ['1.005 KB', 1_005],
  ])('parseByteSize: %s is %d bytes', (text, sizeBytes) => {
    expect(parseByteSize(text)).toBe(sizeBytes);
  });

  it('parseByteSize: part bytes are rounded down, because a size is a limit', () => {
    expect(parseByteSize('1.0009 KB')).toBe(1000);
    expect(parseByteSize('0.3 KiB')).toBe(307);
  });

  it.each([
    '',
    'KB',
    '12 kilo',
    '12 kb',
    '-1',
    '0',
    '0.4 B',
    '1e3',
    '12.5',
    '1,5 KB',
    '9007199254740992',
    '25%',
    'NaN',
  ])('parseByteSize: %j is no size', (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  });

  it('parseByteSize: a number that is not finite is no size', () => {
    expect(parseByteSize(Number.NaN)).toBeUndefined();
    expect(parseByteSize(Number.POSITIVE_INFINITY)).toBeUndefined();
  });
});

describe('parsePercent', () => {
  it.each([
    ['25%', 0.25],
    ['12.5 %', 0.125],
    ['100%', 1],
  ])('parsePercent: %s is the ratio %d', (text, ratio) => {
    expect(parsePercent(text)).toBe(ratio);
  });

  it.each(['0%', '101%', '-5%', '%', '25', 'x%'])('parsePercent: %j is no share', (text) => {
    expect(parsePercent(text)).toBeUndefined();
  });
});
