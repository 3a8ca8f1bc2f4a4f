import type { NodeProto } from '../../wire/model-proto.ts';
import { DATA_TYPE } from '../data-type.ts';
import { attributeOf } from '../graph-index.ts';
import { floatScalar } from './constants.ts';
import { type OperatorRewrite, type RewriteScope, trimInputs, withoutAttributes } from './rewrite.ts';

/** The default of attribute `max`, and of `min` with a minus: the largest float32. */
const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * **From** Clip before opset 11, with attributes `min` and `max`.
 * **To** Clip with scalar inputs of the data's element type.
 * **Holds because** only the way in changed. A bound that is not given stays out for float32, whose default is the same; for other
 * types the old default is the largest float32, and the new one the type's own, so that it is written out.
 */
export const CLIP_11: OperatorRewrite = {
  opTypes: ['Clip'],
  version: 11,
  rewrite: (node, scope) => {
    const bounds = [bound(node, 'min', -LARGEST_FLOAT32, scope), bound(node, 'max', LARGEST_FLOAT32, scope)];
    const input = trimInputs([node.input[0] ?? '', ...bounds]);
    return [{ ...node, input, attribute: withoutAttributes(node, 'min', 'max') }];
  },
};

function bound(node: NodeProto, name: 'min' | 'max', defaultValue: number, scope: RewriteScope): string {
  const dataType = scope.elementType(node.input[0] ?? '') ?? scope.elementType(node.output[0] ?? '');
  const value = attributeOf(node, name)?.f;
  if (value === undefined && dataType === DATA_TYPE.float32) return '';
  const scalar = floatScalar(value ?? defaultValue, dataType ?? 0);
  return scalar === undefined
    ? scope.refuse(node, `the element type of '${node.input[0]}' is not known to be a float type`)
    : scope.constant(scalar);
}
