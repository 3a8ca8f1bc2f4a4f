import { attributeOf } from '../graph-index.ts';
import { integer } from '../node-builders.ts';
import { int64List } from './constants.ts';
import { type OperatorRewrite, withoutAttributes } from './rewrite.ts';

/**
 * **From** Split before opset 13, with an attribute `split`.
 * **To** Split with an input `split`.
 * **Holds because** only the way in changed; without lengths the axis is split into equal parts, before and after.
 */
export const SPLIT_13: OperatorRewrite = {
  opTypes: ['Split'],
  version: 13,
  rewrite: (node, scope) => {
    const lengths = attributeOf(node, 'split')?.ints ?? [];
    const input = [node.input[0] ?? '', ...(lengths.length === 0 ? [] : [scope.constant(int64List(lengths))])];
    return [{ ...node, input, attribute: withoutAttributes(node, 'split') }];
  },
};

/**
 * **From** Split before opset 18 without lengths, which makes as many equal parts as it has outputs.
 * **To** Split with `num_outputs`.
 * **Holds because** opset 18 wants the number said, and equal parts of a divisible axis are the same by either rule.
 */
export const SPLIT_18: OperatorRewrite = {
  opTypes: ['Split'],
  version: 18,
  rewrite: (node) => {
    if ((node.input[1] ?? '') !== '') return [node];
    return [{ ...node, attribute: [...node.attribute, integer('num_outputs', node.output.length)] }];
  },
};
