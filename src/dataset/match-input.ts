/** Whether an array is what an input of the model takes. */
import { UserError } from '../errors.ts';
import { isFloatInput } from './float-feed.ts';
import type { NamedArray } from './load-arrays.ts';
import type { NpyDataType } from './npy-array.ts';
import type { InputSpec } from './sample-set.ts';

/**
 * What is stored for inputs of floats: pixels, or numbers of any float width. Other inputs take their own type alone.
 */
const FLOAT_SOURCES: readonly NpyDataType[] = ['uint8', 'float16', 'float32', 'float64'];

/** @throws UserError naming the input, with what was expected and what was found */
export function checkArrayFitsInput({ subject, array }: NamedArray, input: InputSpec, path: string): void {
  const accepted = acceptedTypes(input);
  if (!accepted.includes(array.dataType)) {
    throw new UserError({
      what: `${subject} is ${array.dataType}, but input '${input.name}' takes ${input.elementType}`,
      where: path,
      fix: `save it with array.astype('${input.elementType}')${isFloatInput(input) ? ', or pixels as uint8' : ''}`,
    });
  }
  if (!fits(array.dims, input.dims)) throw wrongShape(subject, array.dims, input, path);
}

function acceptedTypes(input: InputSpec): readonly NpyDataType[] {
  return isFloatInput(input) ? FLOAT_SOURCES : [input.elementType];
}

/** Every dim after the batch must agree where the model fixes it, and none may be empty. */
function fits(found: readonly number[], expected: InputSpec['dims']): boolean {
  if (found.length !== expected.length || found.length === 0) return false;
  return found.every((dim, axis) => axis === 0 || (dim > 0 && (expected[axis] ?? dim) === dim));
}

function wrongShape(subject: string, found: readonly number[], input: InputSpec, path: string): UserError {
  return new UserError({
    what: `${subject} has shape [${found.join(', ')}], but input '${input.name}' takes ${renderDims(input.dims)}`,
    where: path,
    fix:
      transposeHint(found, input.dims) ??
      'save one sample per row of the first axis, in the shape that the model takes',
  });
}

/** When only the place of the channels differs, the transposition that repairs it. */
function transposeHint(found: readonly number[], expected: InputSpec['dims']): string | undefined {
  if (found.length !== 4) return undefined;
  for (const [axes, from, to] of [
    [[0, 3, 1, 2], 'NHWC', 'NCHW'],
    [[0, 2, 3, 1], 'NCHW', 'NHWC'],
  ] as const) {
    const moved = axes.map((axis) => found[axis]!);
    if (fits(moved, expected)) return `the array is ${from}, the model ${to}: save array.transpose(${axes.join(', ')})`;
  }
  return undefined;
}

/** "[N, 3, 224, 224]", free dims as "?". */
export function renderDims(dims: InputSpec['dims']): string {
  return `[${dims.map((dim, axis) => (axis === 0 ? 'N' : (dim ?? '?'))).join(', ')}]`;
}
