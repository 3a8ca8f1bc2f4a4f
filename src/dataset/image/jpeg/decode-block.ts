/** The five ways in which a scan codes a block of coefficients (ITU-T T.81, F.2.2 and G.1.2). */
import { FormatError } from '../../format-error.ts';
import type { BitReader } from './bit-reader.ts';
import type { HuffmanTable } from './huffman-table.ts';

/** Where in a row-major block the k-th coefficient of the zigzag stands (T.81, figure A.6). */
export const NATURAL_ORDER = Uint8Array.of(
  ...[
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28,
  ],
  ...[
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
    55,
  ],
  ...[62, 63],
);

/** What one component's blocks are decoded with during one scan. */
export type BlockDecoder = {
  readonly reader: BitReader;
  readonly coefficients: Int16Array;
  readonly dcTable: HuffmanTable | undefined;
  readonly acTable: HuffmanTable | undefined;
  /** First and last coefficient of the scan, in zigzag order. */
  readonly spectralStart: number;
  readonly spectralEnd: number;
  /** Bit position that the scan adds (the successive approximation's low bit). */
  readonly lowBit: number;
  /** The last block's DC value, coded as a difference. */
  predictor: number;
  /** Blocks that follow and have no more coefficients in this band. */
  endOfBandRun: number;
};

export type DecodeBlock = (decoder: BlockDecoder, blockOffset: number) => void;

export function decodeBaselineBlock(decoder: BlockDecoder, blockOffset: number): void {
  const { reader, coefficients } = decoder;
  const acTable = decoder.acTable!;
  coefficients[blockOffset] = readDc(decoder);
  for (let k = 1; k < 64; k++) {
    const symbol = reader.readSymbol(acTable);
    const bitLength = symbol & 15;
    const run = symbol >> 4;
    if (bitLength === 0 && run < 15) return;
    k += run;
    if (bitLength > 0) coefficients[blockOffset + natural(k, 63)] = reader.readSigned(bitLength);
  }
}

export function decodeDcFirst(decoder: BlockDecoder, blockOffset: number): void {
  decoder.coefficients[blockOffset] = readDc(decoder) << decoder.lowBit;
}

export function decodeDcRefinement(decoder: BlockDecoder, blockOffset: number): void {
  if (decoder.reader.readBits(1) === 1) decoder.coefficients[blockOffset]! |= 1 << decoder.lowBit;
}

export function decodeAcFirst(decoder: BlockDecoder, blockOffset: number): void {
  const { reader, coefficients, spectralEnd, lowBit } = decoder;
  if (decoder.endOfBandRun > 0) {
    decoder.endOfBandRun--;
    return;
  }
  for (let k = decoder.spectralStart; k <= spectralEnd; k++) {
    const symbol = reader.readSymbol(decoder.acTable!);
    const bitLength = symbol & 15;
    const run = symbol >> 4;
    if (bitLength === 0 && run < 15) {
      decoder.endOfBandRun = readBandRun(reader, run) - 1;
      return;
    }
    k += run;
    if (bitLength > 0) coefficients[blockOffset + natural(k, spectralEnd)] = reader.readSigned(bitLength) << lowBit;
  }
}

/** Adds a bit to every coefficient already non-zero, and puts new ones of ±1 between them (T.81, G.1.2.3). */
export function decodeAcRefinement(decoder: BlockDecoder, blockOffset: number): void {
  const { reader, coefficients, spectralEnd, lowBit } = decoder;
  let k = decoder.spectralStart;
  while (decoder.endOfBandRun === 0 && k <= spectralEnd) {
    const symbol = reader.readSymbol(decoder.acTable!);
    const bitLength = symbol & 15;
    const run = symbol >> 4;
    if (bitLength === 0 && run < 15) {
      decoder.endOfBandRun = readBandRun(reader, run);
      break;
    }
    const newValue = bitLength === 0 ? 0 : reader.readBits(1) === 1 ? 1 << lowBit : -1 << lowBit;
    k = refineUntilZero(decoder, blockOffset, k, run);
    if (newValue !== 0) coefficients[blockOffset + natural(k, spectralEnd)] = newValue;
    k++;
  }
  if (decoder.endOfBandRun === 0) return;
  refineUntilZero(decoder, blockOffset, k, 64);
  decoder.endOfBandRun--;
}

/** Refine the non-zero coefficients from `k` on, passing over `zeroCount` zeros; returns where the next zero stands. */
function refineUntilZero(decoder: BlockDecoder, blockOffset: number, from: number, zeroCount: number): number {
  const { reader, coefficients, spectralEnd, lowBit } = decoder;
  const bit = 1 << lowBit;
  let zerosLeft = zeroCount;
  let k = from;
  for (; k <= spectralEnd; k++) {
    const position = blockOffset + NATURAL_ORDER[k]!;
    const value = coefficients[position]!;
    if (value === 0) {
      if (zerosLeft === 0) break;
      zerosLeft--;
    } else if (reader.readBits(1) === 1 && (value & bit) === 0) {
      coefficients[position] = value >= 0 ? value + bit : value - bit;
    }
  }
  return k;
}

function readDc(decoder: BlockDecoder): number {
  const bitLength = decoder.reader.readSymbol(decoder.dcTable!);
  if (bitLength > 15) throw new FormatError('has an invalid DC coefficient');
  decoder.predictor += decoder.reader.readSigned(bitLength);
  return decoder.predictor;
}

function readBandRun(reader: BitReader, runBits: number): number {
  return runBits === 0 ? 1 : (1 << runBits) + reader.readBits(runBits);
}

function natural(k: number, last: number): number {
  if (k > last) throw new FormatError('has a run of coefficients past the end of its block');
  return NATURAL_ORDER[k]!;
}
