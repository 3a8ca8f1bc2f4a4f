/** Changes that have no rewrite here: crossing one of these versions is refused. */
import { integerAttribute } from '../graph-index.ts';
import type { OperatorRewrite } from './rewrite.ts';

/** TensorProto.DataType of the float8 types without infinity and negative zero. */
const FLOAT8_FNUZ: readonly number[] = [18, 20];

export const REFUSALS: readonly OperatorRewrite[] = [
  refusal('Scan', 9, 'opset 9 took the batch axis out of it'),
  refusal('OneHot', 11, 'opset 11 lets negative indices count from the back'),
  refusal('GroupNormalization', 21, 'opset 21 scales every channel on its own, where it scaled every group'),
  refusal('RoiAlign', 22, 'onnxruntime 1.30 has no kernel for it from opset 22 on'),
  {
    opTypes: ['Cast', 'CastLike'],
    version: 24,
    rewrite: (node, scope) => {
      const target = node.opType === 'Cast' ? integerAttribute(node, 'to', 0) : scope.elementType(node.input[1] ?? '');
      if (FLOAT8_FNUZ.includes(target ?? 0))
        scope.refuse(node, 'opset 24 casts infinity to these float8 types in another way');
      return [node];
    },
  },
];

function refusal(opType: string, version: number, reason: string): OperatorRewrite {
  return { opTypes: [opType], version, rewrite: (node, scope) => scope.refuse(node, reason) };
}
