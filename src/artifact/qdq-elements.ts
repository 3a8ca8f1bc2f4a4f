/** Signed integers of 2, 4 and 8 bits as ONNX stores them (onnx.proto, TensorProto.DataType INT2, INT4 and INT8). */
import { bytesOf } from '../onnx/tensor-values.ts';

/** The widths that ONNX has a signed type for. */
export type ElementWidth = 2 | 4 | 8;

/** TensorProto.DataType of each width. */
export const ELEMENT_TYPE: Readonly<Record<ElementWidth, number>> = { 2: 26, 4: 22, 8: 3 };

/** The narrowest type that holds a grid: 3 bits are stored in 4; 5, 6 and 7 in 8. */
export function elementWidthFor(bitWidth: number): ElementWidth {
  if (bitWidth <= 2) return 2;
  return bitWidth <= 4 ? 4 : 8;
}

/**
 * Pack integers into raw_data: two's complement, element 0 in the lowest bits of byte 0, the last byte padded with zeros
 * (onnx.proto, comment on TensorProto.raw_data).
 *
 * @param values shape [elementCount]
 * @returns shape [ceil(elementCount · width / 8)]
 * @throws RangeError if a value does not fit: packing never clips, a clipped weight is a different model
 */
export function packElements(values: Int8Array, width: ElementWidth): Uint8Array {
  if (width === 8) return bytesOf(values);
  const half = 2 ** (width - 1);
  const mask = 2 ** width - 1;
  const perByte = 8 / width;
  const packed = new Uint8Array(Math.ceil(values.length / perByte));
  for (const [index, value] of values.entries()) {
    if (value < -half || value >= half) throw new RangeError(`${value} does not fit INT${width}`);
    packed[Math.floor(index / perByte)]! |= (value & mask) << (width * (index % perByte));
  }
  return packed;
}
