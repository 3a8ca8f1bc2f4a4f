/** The integers a quantized value may take (QuantizeLinear of the ONNX specification). */
export type Grid = {
  readonly bitWidth: number;
  readonly signed: true;
  readonly quantMin: number;
  readonly quantMax: number;
};

/** The signed grid with all 2^bitWidth levels, −2^(b−1) … 2^(b−1)−1; zero is on it. */
export function signedGrid(bitWidth: number): Grid {
  if (!Number.isInteger(bitWidth) || bitWidth < 1 || bitWidth > 8) throw new RangeError(`no grid of ${bitWidth} bits`);
  const half = 2 ** (bitWidth - 1);
  return { bitWidth, signed: true, quantMin: -half, quantMax: half - 1 };
}
