/** Adding and subtracting 1.5 · 2^52 leaves no bits for a fraction, and IEEE 754 rounds what falls off, ties to even. */
const SHIFTER = 1.5 * 2 ** 52;

/**
 * Round to the nearest integer, ties to even, as ONNX's QuantizeLinear does (Math.round rounds halves up).
 * @param value of magnitude below 2^51
 */
export function roundHalfEven(value: number): number {
  return value + SHIFTER - SHIFTER;
}
