import { attributeOf } from '../graph-index.ts';
import { int64List } from './constants.ts';
import { type OperatorRewrite, withoutAttributes } from './rewrite.ts';

/**
 * **From** Slice before opset 10, with attributes `starts`, `ends` and `axes`.
 * **To** Slice with these as inputs.
 * **Holds because** only the way in changed: steps are one by default, and negative or too large bounds mean the same. The default
 * axes were the first ones, as many as there are starts; they are written out, because later opsets default to all axes.
 */
export const SLICE_10: OperatorRewrite = {
  opTypes: ['Slice'],
  version: 10,
  rewrite: (node, scope) => {
    const list = (name: string) => attributeOf(node, name)?.ints ?? [];
    const starts = list('starts');
    const axes = list('axes').length > 0 ? list('axes') : starts.map((_, axis) => BigInt(axis));
    const bounds = [starts, list('ends'), axes].map((values) => scope.constant(int64List(values)));
    const attribute = withoutAttributes(node, 'starts', 'ends', 'axes');
    return [{ ...node, input: [node.input[0] ?? '', ...bounds], attribute }];
  },
};
