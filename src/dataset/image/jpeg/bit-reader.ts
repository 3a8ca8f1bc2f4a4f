/** The entropy-coded bits of a JPEG scan (ITU-T T.81, F.2.2): bytes, stuffed zeros after 0xFF, markers in between. */
import { FormatError } from '../../format-error.ts';
import { type HuffmanTable, LOOKUP_BITS } from './huffman-table.ts';

export class BitReader {
  private readonly data: Uint8Array;
  private offset: number;
  /** The low `bitCount` bits are the next ones, the first of them highest. */
  private bits = 0;
  private bitCount = 0;
  /** How many of the buffered bits lie past the end of the data and are not real. */
  private paddingBitCount = 0;

  constructor(data: Uint8Array, offset: number) {
    this.data = data;
    this.offset = offset;
  }

  /** The next `count` bits (1…16) as an unsigned number. */
  readBits(count: number): number {
    if (this.bitCount < count) this.fill();
    this.consume(count);
    return (this.bits >>> this.bitCount) & ((1 << count) - 1);
  }

  /**
   * A signed value of `bitLength` bits in the form of T.81, F.2.2.1: the lower half of the range stands for
   * negatives.
   */
  readSigned(bitLength: number): number {
    if (bitLength === 0) return 0;
    const value = this.readBits(bitLength);
    return value < 1 << (bitLength - 1) ? value - (1 << bitLength) + 1 : value;
  }

  readSymbol(table: HuffmanTable): number {
    if (this.bitCount < 16) this.fill();
    const entry = table.lookup[(this.bits >>> (this.bitCount - LOOKUP_BITS)) & ((1 << LOOKUP_BITS) - 1)]!;
    if (entry === 0) return this.readLongSymbol(table);
    this.consume(entry >> 8);
    return entry & 0xff;
  }

  /** Drop what is left of the interval and step over the marker RST`index mod 8`. */
  restart(index: number): void {
    const marker = nextMarkerOffset(this.data, this.offset);
    if (this.data[marker + 1] !== 0xd0 + (index % 8)) throw new FormatError('has a damaged restart interval');
    this.offset = marker + 2;
    this.bits = 0;
    this.bitCount = 0;
    this.paddingBitCount = 0;
  }

  /** Offset of the marker that ends the scan, or of the end of the data. */
  endOffset(): number {
    return nextMarkerOffset(this.data, this.offset);
  }

  private readLongSymbol(table: HuffmanTable): number {
    for (let length = LOOKUP_BITS + 1; length <= 16; length++) {
      const code = (this.bits >>> (this.bitCount - length)) & ((1 << length) - 1);
      if (code > table.largestCode[length]!) continue;
      this.consume(length);
      return table.symbols[code + table.symbolOffset[length]!]!;
    }
    throw new FormatError(this.paddingBitCount > 0 ? ENDS_EARLY : 'has an invalid Huffman code');
  }

  private consume(count: number): void {
    this.bitCount -= count;
    if (this.bitCount < this.paddingBitCount) throw new FormatError(ENDS_EARLY);
  }

  /** Buffer 25 to 32 bits; zeros follow the last byte, because a short code may stand at the very end. */
  private fill(): void {
    while (this.bitCount <= 24) {
      const byte = this.data[this.offset];
      const isMarker = byte === 0xff && this.data[this.offset + 1] !== 0;
      if (byte === undefined || isMarker) {
        this.bits <<= 8;
        this.paddingBitCount += 8;
      } else {
        this.bits = (this.bits << 8) | byte;
        this.offset += byte === 0xff ? 2 : 1;
      }
      this.bitCount += 8;
    }
  }
}

const ENDS_EARLY = 'is truncated or damaged: the data end before the picture does';

/** Offset of the next 0xFF that begins a marker, or the length of the data. */
export function nextMarkerOffset(data: Uint8Array, from: number): number {
  let offset = data.indexOf(0xff, from);
  while (offset >= 0 && offset + 1 < data.length) {
    const code = data[offset + 1]!;
    if (code !== 0 && code !== 0xff) return offset;
    offset = data.indexOf(0xff, offset + 1);
  }
  return data.length;
}
