import type { NodeProto } from '../../wire/model-proto.ts';
import { attributeOf } from '../graph-index.ts';
import { isFloatTensor, readFloats } from '../tensor-values.ts';
import { stringAttribute, stringOf } from './constants.ts';
import { type OperatorRewrite, type RewriteScope, withoutAttributes } from './rewrite.ts';
import { asymmetricResize } from './upsample.ts';

/**
 * **From** Resize(x, scales) of opset 10.
 * **To** Resize(x, –, scales) with coordinate_transformation_mode=asymmetric and, for `nearest`, nearest_mode floor where no scale is
 * below one, ceil where none is above.
 * **Holds because** output pixel i is read at i / scale; the specification leaves open which pixel is the nearest, and onnxruntime
 * takes the one before when it scales up and the one behind when it scales down. Both at once, or scales that are not constant,
 * have no counterpart and are refused.
 */
export const RESIZE_11: OperatorRewrite = {
  opTypes: ['Resize'],
  version: 11,
  rewrite: (node, scope) => {
    const isNearest = stringOf(attributeOf(node, 'mode'), 'nearest') === 'nearest';
    return [asymmetricResize(node, isNearest ? nearestModeOf(node, scope) : 'floor', scope)];
  },
};

function nearestModeOf(node: NodeProto, scope: RewriteScope): 'floor' | 'ceil' {
  const tensor = scope.constantTensor(node.input[1] ?? '');
  if (tensor === undefined || !isFloatTensor(tensor)) return scope.refuse(node, 'its scales are not constant');
  const scales = readFloats(tensor, 'scales');
  if (scales.every((scale) => scale >= 1)) return 'floor';
  if (scales.every((scale) => scale <= 1)) return 'ceil';
  return scope.refuse(node, 'it scales one axis up and another one down, to the nearest pixel');
}

/**
 * **From** Resize of opset 11 to the nearest pixel with tf_half_pixel_for_nn and nearest_mode=floor.
 * **To** Resize with half_pixel and round_prefer_ceil.
 * **Holds because** with u = (i + ½) / scale the first reads pixel ⌊u⌋ and the second round(u − ½), halves up, which is ⌊u⌋ too.
 * Opset 13 dropped the first; with another nearest_mode it has no counterpart and is refused.
 */
export const RESIZE_13: OperatorRewrite = {
  opTypes: ['Resize'],
  version: 13,
  rewrite: (node, scope) => {
    const [mode, nearestMode] = ['coordinate_transformation_mode', 'nearest_mode'].map((name) =>
      attributeOf(node, name),
    );
    if (stringOf(mode, 'half_pixel') !== 'tf_half_pixel_for_nn') return [node];
    const isNearest = stringOf(attributeOf(node, 'mode'), 'nearest') === 'nearest';
    if (!isNearest || stringOf(nearestMode, 'round_prefer_floor') !== 'floor') {
      scope.refuse(node, 'opset 13 dropped tf_half_pixel_for_nn');
    }
    const attribute = [
      ...withoutAttributes(node, 'coordinate_transformation_mode', 'nearest_mode'),
      stringAttribute('coordinate_transformation_mode', 'half_pixel'),
      stringAttribute('nearest_mode', 'round_prefer_ceil'),
    ];
    return [{ ...node, attribute }];
  },
};
