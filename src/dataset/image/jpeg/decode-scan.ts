/** One scan of a JPEG file: its header (ITU-T T.81, B.2.3) and the order of its blocks (A.2). */
import { FormatError } from '../../format-error.ts';
import { BitReader } from './bit-reader.ts';
import {
  type BlockDecoder,
  type DecodeBlock,
  decodeAcFirst,
  decodeAcRefinement,
  decodeBaselineBlock,
  decodeDcFirst,
  decodeDcRefinement,
} from './decode-block.ts';
import type { Component, Frame } from './frame.ts';
import type { HuffmanTable } from './huffman-table.ts';

/** The tables that segments before the scan have set. */
export type Tables = {
  readonly quantization: (Uint16Array | undefined)[];
  readonly dc: (HuffmanTable | undefined)[];
  readonly ac: (HuffmanTable | undefined)[];
  /** Coding units between restart markers; 0 for none. */
  restartInterval: number;
};

type ScanComponent = { readonly component: Component; readonly decoder: BlockDecoder };

/**
 * Decode a scan into the coefficients of the frame's components.
 *
 * @param header body of the SOS segment
 * @param offset where the entropy-coded data begin
 * @returns offset of the marker after the scan
 */
export function decodeScan(data: Uint8Array, offset: number, header: Uint8Array, frame: Frame, tables: Tables): number {
  const reader = new BitReader(data, offset);
  const parts = readScanHeader(header, frame, tables, reader);
  const decodeBlock = chooseBlockDecoding(parts, frame.isProgressive, header.at(-1)! >> 4);
  const unitCount =
    parts.length === 1
      ? parts[0]!.component.blocksPerLine * parts[0]!.component.blocksPerColumn
      : frame.unitsPerLine * frame.unitsPerColumn;
  const decodeUnit = parts.length === 1 ? decodeLoneBlock : decodeInterleavedUnit;
  for (let unit = 0; unit < unitCount; unit++) {
    if (tables.restartInterval > 0 && unit > 0 && unit % tables.restartInterval === 0) {
      reader.restart(unit / tables.restartInterval - 1);
      for (const { decoder } of parts) resetPrediction(decoder);
    }
    decodeUnit(parts, decodeBlock, unit, frame);
  }
  return reader.endOffset();
}

function readScanHeader(header: Uint8Array, frame: Frame, tables: Tables, reader: BitReader): ScanComponent[] {
  const count = header[0] ?? 0;
  if (count < 1 || count > 4 || header.length !== 4 + 2 * count) throw new FormatError('has a damaged scan header');
  const spectralStart = header[1 + 2 * count]!;
  const spectralEnd = header[2 + 2 * count]!;
  const lowBit = header[3 + 2 * count]! & 15;
  if (spectralStart > spectralEnd || spectralEnd > 63) throw new FormatError('has a damaged scan header');
  return Array.from({ length: count }, (_, index) => {
    const component = frame.components.find(({ id }) => id === header[1 + 2 * index]);
    if (component === undefined) throw new FormatError('has a scan of a component that its frame lacks');
    component.quantization ??= required(tables.quantization[component.quantizationIndex]);
    const selector = header[2 + 2 * index]!;
    const decoder = {
      reader,
      coefficients: component.coefficients,
      dcTable: tables.dc[selector >> 4],
      acTable: tables.ac[selector & 15],
      spectralStart,
      spectralEnd,
      lowBit,
      predictor: 0,
      endOfBandRun: 0,
    };
    return { component, decoder };
  });
}

/** Also checks that the tables which the way of coding needs are there. */
function chooseBlockDecoding(parts: readonly ScanComponent[], isProgressive: boolean, highBit: number): DecodeBlock {
  const { spectralStart, spectralEnd } = parts[0]!.decoder;
  const codesDc = !isProgressive || spectralStart === 0;
  const codesAc = !isProgressive || spectralStart > 0;
  if (isProgressive && (codesDc ? spectralEnd !== 0 : parts.length > 1))
    throw new FormatError('has a damaged scan header');
  const isRefinement = isProgressive && highBit > 0;
  for (const { decoder } of parts) {
    if (codesDc && !isRefinement) required(decoder.dcTable);
    if (codesAc) required(decoder.acTable);
  }
  if (!isProgressive) return decodeBaselineBlock;
  if (codesDc) return isRefinement ? decodeDcRefinement : decodeDcFirst;
  return isRefinement ? decodeAcRefinement : decodeAcFirst;
}

function decodeLoneBlock(parts: readonly ScanComponent[], decodeBlock: DecodeBlock, unit: number): void {
  const { component, decoder } = parts[0]!;
  const row = Math.floor(unit / component.blocksPerLine);
  const column = unit % component.blocksPerLine;
  decodeBlock(decoder, (row * component.storedBlocksPerLine + column) * 64);
}

function decodeInterleavedUnit(
  parts: readonly ScanComponent[],
  decodeBlock: DecodeBlock,
  unit: number,
  frame: Frame,
): void {
  const unitRow = Math.floor(unit / frame.unitsPerLine);
  const unitColumn = unit % frame.unitsPerLine;
  for (const { component, decoder } of parts) {
    for (let v = 0; v < component.vertical; v++) {
      const firstBlock =
        (unitRow * component.vertical + v) * component.storedBlocksPerLine + unitColumn * component.horizontal;
      for (let h = 0; h < component.horizontal; h++) decodeBlock(decoder, (firstBlock + h) * 64);
    }
  }
}

function resetPrediction(decoder: BlockDecoder): void {
  decoder.predictor = 0;
  decoder.endOfBandRun = 0;
}

function required<T>(table: T | undefined): T {
  if (table === undefined) throw new FormatError('lacks a table that its scan needs');
  return table;
}
