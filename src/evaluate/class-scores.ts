/** Which output of a model holds one row of class scores per sample. */
import { floatsOf } from '../distribution.ts';
import { UserError } from '../errors.ts';
import { elementCount, type NamedTensors, type Tensor } from '../tensor.ts';

/** How many of the best classes count as a hit. */
export const HIT_RANK = { top1: 1, top5: 5 } as const;

/**
 * The one output that serves top1 or top5: floats of shape [batch, classes], or the same with axes of length 1.
 *
 * @param outputs of one batch, in the model's order
 * @param batchSize samples fed, padding included
 * @param wanted the output that the config names, if it does
 * @throws UserError if no output serves, several do and none is wanted, or top5 could not miss
 */
export function chooseClassScores(
  metric: keyof typeof HIT_RANK,
  outputs: NamedTensors,
  batchSize: number,
  wanted?: string,
): { readonly name: string; readonly classCount: number } {
  const offered = Object.entries(wanted === undefined ? outputs : pickOutput(outputs, wanted));
  const serving = offered.flatMap(([name, output]) => {
    const scores = classScoresOf(output, batchSize);
    return scores === undefined ? [] : [{ name, classCount: scores.dims[1]! }];
  });
  const [first, second] = serving;
  if (first === undefined) {
    throw new UserError({
      what: `the metric ${metric} needs an output of class scores, shape [batch, classes]; found ${describeOutputs(offered)}`,
      fix: 'set gate.metric to kl, which compares distributions of any shape',
    });
  }
  if (second !== undefined) {
    throw new UserError({
      what: `the metric ${metric} could be read from ${serving.map(({ name }) => `'${name}'`).join(' or ')}`,
      fix: 'name one of them in gate.output',
    });
  }
  if (first.classCount <= HIT_RANK[metric]) {
    throw new UserError({
      what: `the metric ${metric} is always 1 for the ${first.classCount} classes of '${first.name}'`,
      fix: 'set gate.metric to top1 or kl',
    });
  }
  return first;
}

/** The output as rows of scores, shape [batchSize, classes]; undefined when it holds anything else. */
export function classScoresOf({ elementType, dims, data }: Tensor, batchSize: number): Tensor | undefined {
  const classCount = elementCount(dims.slice(1));
  const hasOneAxis = dims.slice(1).filter((dim) => dim !== 1).length === 1;
  if (!isFloatType(elementType) || dims[0] !== batchSize || !hasOneAxis || classCount < 2) return undefined;
  return toFloats({ elementType, dims: [batchSize, classCount], data });
}

/** @throws UserError if the model has no such output */
export function pickOutput(outputs: NamedTensors, name: string): NamedTensors {
  const output = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
  if (output !== undefined) return { [name]: output };
  throw new UserError({
    what: `gate.output is '${name}', which the model does not have; it has ${describeOutputs(Object.entries(outputs))}`,
    fix: 'name one of these',
  });
}

export function describeOutputs(outputs: readonly (readonly [string, Tensor])[]): string {
  return outputs.map(([name, { elementType, dims }]) => `'${name}' ${elementType} [${dims.join(', ')}]`).join(', ');
}

/** Half precision decoded once, so that whoever reads single rows need not. */
export function toFloats(output: Tensor): Tensor {
  return output.elementType === 'float16' ? { ...output, elementType: 'float32', data: floatsOf(output) } : output;
}

export function isFloatType(elementType: Tensor['elementType']): boolean {
  return elementType === 'float32' || elementType === 'float64' || elementType === 'float16';
}
