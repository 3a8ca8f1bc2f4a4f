/** Huffman tables of a JPEG file (ITU-T T.81, annex C), prepared for decoding by lookup. */
import { FormatError } from '../../format-error.ts';

/** Codes up to this length are decoded by one lookup; nearly all are. */
export const LOOKUP_BITS = 9;

export type HuffmanTable = {
  /** By the next LOOKUP_BITS bits: code length · 256 + symbol, or 0 where the code is longer. Shape [2^LOOKUP_BITS]. */
  readonly lookup: Uint16Array;
  /** By code length: the largest code of that length, or −1. Shape [17]. */
  readonly largestCode: Int32Array;
  /** By code length: what to add to a code to get the index of its symbol. Shape [17]. */
  readonly symbolOffset: Int32Array;
  readonly symbols: Uint8Array;
};

/**
 * Assign the canonical codes: consecutive numbers within a length, doubled from one length to the next.
 *
 * @param codeCounts number of codes of length 1…16, shape [16]
 * @throws FormatError if the lengths describe more codes than there are
 */
export function buildHuffmanTable(codeCounts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const lookup = new Uint16Array(1 << LOOKUP_BITS);
  const largestCode = new Int32Array(17).fill(-1);
  const symbolOffset = new Int32Array(17);
  let code = 0;
  let symbolIndex = 0;
  for (let length = 1; length <= 16; length++) {
    const count = codeCounts[length - 1]!;
    if (code + count > 1 << length) throw new FormatError('has an invalid Huffman table');
    symbolOffset[length] = symbolIndex - code;
    if (count > 0) largestCode[length] = code + count - 1;
    for (let i = 0; i < count; i++, code++, symbolIndex++) {
      if (length <= LOOKUP_BITS) fillLookup(lookup, code, length, symbols[symbolIndex]!);
    }
    code <<= 1;
  }
  return { lookup, largestCode, symbolOffset, symbols };
}

/** Every lookup index that begins with the code leads to its symbol. */
function fillLookup(lookup: Uint16Array, code: number, length: number, symbol: number): void {
  const first = code << (LOOKUP_BITS - length);
  lookup.fill(length * 256 + symbol, first, first + (1 << (LOOKUP_BITS - length)));
}
