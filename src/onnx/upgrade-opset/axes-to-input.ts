import type { NodeProto } from '../../wire/model-proto.ts';
import { attributeOf } from '../graph-index.ts';
import { int64List } from './constants.ts';
import { type OperatorRewrite, type RewriteScope, withoutAttributes } from './rewrite.ts';

/**
 * **From** Squeeze, Unsqueeze, ReduceSum (before opset 13) and the other reductions (before opset 18) with an attribute `axes`.
 * **To** the same operator with an int64 input `axes`.
 * **Holds because** only the way in changed. Without axes, or with none, a reduction goes over all axes and Squeeze over all axes
 * of size one, before (no attribute) and after (no input; `noop_with_empty_axes` is 0 by default).
 */
export const AXES_TO_INPUT: readonly OperatorRewrite[] = [
  { opTypes: ['Squeeze', 'Unsqueeze', 'ReduceSum'], version: 13, rewrite },
  {
    opTypes: [
      'ReduceL1',
      'ReduceL2',
      'ReduceLogSum',
      'ReduceLogSumExp',
      'ReduceMax',
      'ReduceMean',
      'ReduceMin',
      'ReduceProd',
      'ReduceSumSquare',
    ],
    version: 18,
    rewrite,
  },
];

function rewrite(node: NodeProto, scope: RewriteScope): NodeProto[] {
  const axes = attributeOf(node, 'axes')?.ints ?? [];
  if (axes.length === 0) return [{ ...node, attribute: withoutAttributes(node, 'axes') }];
  const input = [node.input[0] ?? '', scope.constant(int64List(axes))];
  return [{ ...node, input, attribute: withoutAttributes(node, 'axes') }];
}
