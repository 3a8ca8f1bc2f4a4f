import { integerAttribute } from '../graph-index.ts';
import { type OperatorRewrite, withoutAttributes } from './rewrite.ts';

/**
 * **From** BatchNormalization before opset 9, with `spatial` 1.
 * **To** BatchNormalization without the attribute.
 * **Holds because** statistics per channel are all that later opsets know; `spatial` 0, statistics per element, is refused.
 */
export const BATCH_NORMALIZATION_9: OperatorRewrite = {
  opTypes: ['BatchNormalization'],
  version: 9,
  rewrite: (node, scope) => {
    if (integerAttribute(node, 'spatial', 1) !== 1) scope.refuse(node, 'opset 9 dropped spatial=0');
    return [{ ...node, attribute: withoutAttributes(node, 'spatial') }];
  },
};

/**
 * **From** BatchNormalization before opset 14, with one output.
 * **To** itself.
 * **Holds because** one output is the inference form, which is the default from opset 14 on. The training form, told by further
 * outputs, has others since then and is refused.
 */
export const BATCH_NORMALIZATION_14: OperatorRewrite = {
  opTypes: ['BatchNormalization'],
  version: 14,
  rewrite: (node, scope) => {
    const outputs = node.output.filter((name) => name !== '');
    if (outputs.length > 1)
      scope.refuse(node, 'its further outputs put it into training mode, which opset 14 defines anew');
    return [{ ...node, output: outputs }];
  },
};
