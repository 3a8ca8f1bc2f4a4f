/**
 * Bit operations of a layer, the cost that does not depend on a machine: multiply-accumulate operations · bits of the weight ·
 * bits of the activation (Bayesian Bits, arXiv 2005.07093; HAWQ-V3, arXiv 2011.10680).
 */
import type { OfferedWidth } from './offered-widths.ts';

export type LayerWork = {
  /** Multiply-accumulate operations for one sample. */
  readonly operations: number;
  /** Bits of a float weight, and of a float activation. */
  readonly floatBitWidth: number;
};

/** @param activationBits of a layer with a quantized weight; those of the float model when absent */
export function bitOperations(
  { operations, floatBitWidth }: LayerWork,
  width: OfferedWidth,
  activationBits = floatBitWidth,
): number {
  return width === 'float' ? operations * floatBitWidth ** 2 : operations * width * activationBits;
}
