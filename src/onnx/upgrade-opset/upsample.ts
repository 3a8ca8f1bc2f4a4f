import type { NodeProto } from '../../wire/model-proto.ts';
import { attributeOf } from '../graph-index.ts';
import { floatList, stringAttribute } from './constants.ts';
import { type OperatorRewrite, type RewriteScope, withoutAttributes } from './rewrite.ts';

/**
 * **From** Upsample before opset 9, with an attribute `scales`.
 * **To** Upsample with an input `scales`.
 * **Holds because** only the way in changed.
 */
export const UPSAMPLE_9: OperatorRewrite = {
  opTypes: ['Upsample'],
  version: 9,
  rewrite: (node, scope) => {
    const scales = scope.constant(floatList(attributeOf(node, 'scales')?.floats ?? []));
    return [{ ...node, input: [node.input[0] ?? '', scales], attribute: withoutAttributes(node, 'scales') }];
  },
};

/**
 * **From** Upsample(x, scales) before opset 10, which dropped it.
 * **To** Resize(x, –, scales) of opset 11, with coordinate_transformation_mode=asymmetric and nearest_mode=floor.
 * **Holds because** output pixel i of Upsample is read at i / scale, and the nearest pixel is the one before, since its scales are
 * never below one. Resize of opset 10 cannot say which pixel is the nearest, so that the rewrite goes past it.
 */
export const UPSAMPLE_10: OperatorRewrite = {
  opTypes: ['Upsample'],
  version: 10,
  reaches: 11,
  rewrite: (node, scope) => [asymmetricResize(node, 'floor', scope)],
};

/** Resize of opset 11 that reads output pixel i at i / scale; `node` has inputs x and scales. */
export function asymmetricResize(node: NodeProto, nearestMode: 'floor' | 'ceil', scope: RewriteScope): NodeProto {
  const [data = '', scales = ''] = node.input;
  const attribute = [
    ...node.attribute,
    stringAttribute('coordinate_transformation_mode', 'asymmetric'),
    stringAttribute('nearest_mode', nearestMode),
  ];
  // Before opset 13 the region of interest has to be there, empty where it does not matter.
  return { ...node, opType: 'Resize', input: [data, scope.constant(floatList([])), scales], attribute };
}
