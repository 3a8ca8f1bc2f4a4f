import { integerAttribute } from '../graph-index.ts';
import { int64List } from './constants.ts';
import { type OperatorRewrite, withoutAttributes } from './rewrite.ts';

/**
 * **From** TopK before opset 10, with an attribute `k`.
 * **To** TopK with an input `K` of shape [1].
 * **Holds because** only the way in changed; `largest` and `sorted`, which opset 11 adds, are 1 by default, the old behaviour.
 */
export const TOP_K_10: OperatorRewrite = {
  opTypes: ['TopK'],
  version: 10,
  rewrite: (node, scope) => {
    const count = scope.constant(int64List([integerAttribute(node, 'k', 0)]));
    return [{ ...node, input: [node.input[0] ?? '', count], attribute: withoutAttributes(node, 'k') }];
  },
};
