import type { NodeProto } from '../../wire/model-proto.ts';
import { type OperatorRewrite, type RewriteScope, withoutAttributes } from './rewrite.ts';

/**
 * **From** Dropout before opset 12 (before 10 its mask is a float), at inference.
 * **To** Dropout without `ratio` and without a mask.
 * **Holds because** at inference the output is the input, whatever the ratio. A mask that somebody reads is refused: its type and,
 * in practice, its content changed.
 */
export const DROPOUT: readonly OperatorRewrite[] = [
  { opTypes: ['Dropout'], version: 10, rewrite: dropMask },
  {
    opTypes: ['Dropout'],
    version: 12,
    rewrite: (node, scope) =>
      dropMask(node, scope).map((only) => ({ ...only, attribute: withoutAttributes(only, 'ratio') })),
  },
];

function dropMask(node: NodeProto, scope: RewriteScope): NodeProto[] {
  const [output = '', mask = ''] = node.output;
  if (mask !== '' && scope.isRead(mask))
    scope.refuse(node, `its mask '${mask}' is read, and later opsets define masks anew`);
  return [{ ...node, output: [output] }];
}
