/** In which form of DequantizeLinear a layer's weight is stored, and which opset that takes. */
import { DATA_TYPE } from '../onnx/data-type.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Granularity } from '../quantize/granularity.ts';
import type { QuantizedTensor } from '../quantize/quantized-tensor.ts';
import { type ElementWidth, elementWidthFor } from './qdq-elements.ts';

export type IntegerForm = {
  readonly elementWidth: ElementWidth;
  readonly granularity: 'tensor' | 'channel' | 'block';
  /** Whether the scales, and with them the weight that comes out, are float16. */
  readonly isHalf: boolean;
};

/** A weight that stays float needs no opset, which matters where others need one. */
export type QdqForm = IntegerForm | 'float';

/**
 * The form of a weight. Scales have the precision of the float weight, because DequantizeLinear's output does; scales that a
 * float16 model could not hold stay float32, and the weight is cast.
 *
 * @param isByte whether an integer kernel reads the weight, which then is INT8 whatever its grid
 */
export function qdqForm(layer: Layer, { grid, granularity, scaleType }: QuantizedTensor, isByte: boolean): IntegerForm {
  return {
    elementWidth: elementWidthOf(layer, grid.bitWidth, isByte),
    granularity: granularityName(granularity),
    isHalf: layer.dataType === DATA_TYPE.float16 && scaleType === 'float16',
  };
}

/**
 * What onnxruntime's product with weights of 2 bits counts outputs in: its result is noise where they are no multiple of it (1.30,
 * CPU, MatMulNBits, which DequantizeLinear and MatMul or Gemm are fused to; 4 bits are right).
 */
const TWO_BIT_OUTPUTS = 4;

/** The width of the type that holds the weights, in bits; of 2 bits INT4 where the product with INT2 is wrong. */
export function elementWidthOf(
  { opType, dims, channelAxis }: Pick<Layer, 'opType' | 'dims' | 'channelAxis'>,
  bitWidth: number,
  isByte: boolean,
): ElementWidth {
  if (isByte) return 8;
  const width = elementWidthFor(bitWidth);
  const isFused = opType === 'MatMul' || opType === 'Gemm';
  return width === 2 && isFused && dims[channelAxis]! % TWO_BIT_OUTPUTS !== 0 ? 4 : width;
}

function granularityName(granularity: Granularity): IntegerForm['granularity'] {
  return typeof granularity === 'object' ? 'block' : granularity;
}

export function qdqFormName(form: QdqForm): string {
  if (form === 'float') return form;
  const { elementWidth, granularity, isHalf } = form;
  return `INT${elementWidth}, ${granularity}${isHalf ? ', float16' : ''}`;
}

/** The oldest opset whose DequantizeLinear has the form (ONNX, docs/Changelog.md: versions 10, 13, 19, 21 and 25). */
export function requiredOpset(form: QdqForm): number {
  if (form === 'float') return 0;
  const { elementWidth, granularity, isHalf } = form;
  if (elementWidth === 2) return 25;
  if (elementWidth === 4 || granularity === 'block') return 21;
  if (isHalf) return 19;
  return granularity === 'channel' ? 13 : 10;
}
