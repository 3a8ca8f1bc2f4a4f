import type { NodeProto } from '../../wire/model-proto.ts';
import { integerAttribute } from '../graph-index.ts';
import { integer, operator } from '../node-builders.ts';
import { type OperatorRewrite, type RewriteScope, withoutAttributes } from './rewrite.ts';

/**
 * **From** Softmax, LogSoftmax or Hardmax before opset 13, which take the axes from `axis` (by default 1) on as one.
 * **To** y = Reshape(Softmax(Flatten(x, axis), −1), Shape(x)); where `axis` is the last one, only the attribute changes.
 * **Holds because** flattening is how the old operators were defined, and one axis taken as one is that axis.
 */
export const SOFTMAX_13: OperatorRewrite = {
  opTypes: ['Softmax', 'LogSoftmax', 'Hardmax'],
  version: 13,
  rewrite: (node, scope) => {
    const axis = integerAttribute(node, 'axis', 1);
    const rank = scope.rank(node.input[0] ?? '') ?? scope.rank(node.output[0] ?? '');
    return axis === -1 || axis + 1 === rank ? [onLastAxis(node)] : flattened(node, axis, scope);
  },
};

function onLastAxis(node: NodeProto): NodeProto {
  return { ...node, attribute: [...withoutAttributes(node, 'axis'), integer('axis', -1)] };
}

function flattened(node: NodeProto, axis: number, scope: RewriteScope): NodeProto[] {
  const [input = ''] = node.input;
  const [output = ''] = node.output;
  const name = (part: string) => scope.freshName(`${output}.${part}`);
  const [flat, shape, result] = [name('flat'), name('shape'), name('of_flat')];
  return [
    operator('Flatten', [input], flat, integer('axis', axis)),
    { ...onLastAxis(node), input: [flat], output: [result] },
    operator('Shape', [input], shape),
    operator('Reshape', [result, shape], output),
  ];
}
