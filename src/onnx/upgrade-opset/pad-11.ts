import type { NodeProto } from '../../wire/model-proto.ts';
import { attributeOf } from '../graph-index.ts';
import { floatScalar, int64List, stringOf } from './constants.ts';
import { type OperatorRewrite, type RewriteScope, trimInputs, withoutAttributes } from './rewrite.ts';

/**
 * **From** Pad before opset 11, with attributes `pads` and `value`.
 * **To** Pad with these as inputs.
 * **Holds because** only the way in changed. The value is zero by default on both sides, and only the mode `constant` reads it.
 */
export const PAD_11: OperatorRewrite = {
  opTypes: ['Pad'],
  version: 11,
  rewrite: (node, scope) => {
    const pads = scope.constant(int64List(attributeOf(node, 'pads')?.ints ?? []));
    const input = trimInputs([node.input[0] ?? '', pads, paddingValue(node, scope)]);
    return [{ ...node, input, attribute: withoutAttributes(node, 'pads', 'value') }];
  },
};

function paddingValue(node: NodeProto, scope: RewriteScope): string {
  const value = attributeOf(node, 'value')?.f ?? 0;
  if (value === 0 || stringOf(attributeOf(node, 'mode'), 'constant') !== 'constant') return '';
  const dataType = scope.elementType(node.input[0] ?? '') ?? scope.elementType(node.output[0] ?? '');
  const scalar = floatScalar(value, dataType ?? 0);
  return scalar === undefined
    ? scope.refuse(node, `the element type of '${node.input[0]}' is not known to be a float type`)
    : scope.constant(scalar);
}
