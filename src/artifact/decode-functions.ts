/**
 * Model-local functions (FunctionProto, ONNX IR version 8) that turn packed integers into a weight with standard operators.
 *
 * One function per bit-width; a layer then costs one node. The runtime inlines the functions and folds them at load, so that
 * inference runs on the same graph as the float model's. Two dialects: unsigned shifts where BitShift exists (opset 11), and
 * float arithmetic, exact for bytes, before that.
 */
import { DATA_TYPE } from '../onnx/data-type.ts';
import { ATTRIBUTE_TYPE, castTo, integers, operator } from '../onnx/node-builders.ts';
import { floatTensor } from '../onnx/tensor-values.ts';
import { type Chunk, chunksOf } from '../quantize/pack-bits.ts';
import {
  type AttributeProto,
  type FunctionProto,
  type NodeProto,
  newAttribute,
  newFunction,
  newOpset,
  newTensor,
  type TensorProto,
} from '../wire/model-proto.ts';

/** The domain of the functions; the model imports version 1 of it. */
export const FUNCTION_DOMAIN = 'bitgate';

export type DecodeForm = {
  readonly bitWidth: number;
  /** Whether the packed elements end in padding that has to be cut off. */
  readonly isPadded: boolean;
};

/** BitShift came with opset 11; Slice takes its bounds as inputs from opset 10, and a Constant may hold integers from 9. */
const FIRST_BIT_SHIFT = 11;
const FIRST_SLICE_BY_INPUT = 10;
const FIRST_INTEGER_CONSTANT = 9;

export function slicesByInput(opsetVersion: number): boolean {
  return opsetVersion >= FIRST_SLICE_BY_INPUT;
}

export function functionName({ bitWidth, isPadded }: DecodeForm): string {
  return `Decode${bitWidth}${isPadded ? 'Padded' : ''}`;
}

/**
 * The function of one form. Inputs: one uint8 tensor per chunk (8 bits: one int8 tensor in the weight's shape), scales
 * that broadcast over the weight, the weight's shape, and with padding its element count (before opset 10 the attribute
 * `count`). Output: the weight in float32.
 */
export function decodeFunction(form: DecodeForm, opsetVersion: number): FunctionProto {
  const isByte = form.bitWidth === 8;
  const chunks = isByte ? [] : chunksOf(form.bitWidth);
  const packed = isByte ? ['p0'] : chunks.map((_, index) => `p${index}`);
  const count = form.isPadded && slicesByInput(opsetVersion) ? ['n'] : [];
  return newFunction({
    name: functionName(form),
    domain: FUNCTION_DOMAIN,
    input: [...packed, 's', ...(isByte ? [] : ['d']), ...count],
    output: ['w'],
    attribute: form.isPadded && !slicesByInput(opsetVersion) ? ['count'] : [],
    node: [...(isByte ? decodeByte() : decodeChunks(form, chunks, opsetVersion)), ...applyScale()],
    opsetImport: [newOpset('', BigInt(opsetVersion))],
  });
}

function decodeByte(): NodeProto[] {
  return [cast('p0', 'v')];
}

/**
 * v = Σ_chunks reshape(field · 2^shift) − 2^(b−1). Every chunk gets the weight's shape at once; with padding the chunks are
 * added flat, because only the sum is cut.
 */
function decodeChunks(form: DecodeForm, chunks: readonly Chunk[], opsetVersion: number): NodeProto[] {
  const flatten = form.isPadded ? anyLength('k', opsetVersion) : [];
  const shape = form.isPadded ? 'k' : 'd';
  const fields = chunks.flatMap((chunk, index) => decodeChunk(chunk, index, shape, opsetVersion));
  const sum = chunks
    .slice(1)
    .map((_, index) => operator('Add', [index === 0 ? 'f0' : `a${index - 1}`, `f${index + 1}`], `a${index}`));
  const total = chunks.length === 1 ? 'f0' : `a${chunks.length - 2}`;
  const difference = form.isPadded ? 'c' : 'v';
  const offset = [constant('z', float(2 ** (form.bitWidth - 1))), operator('Sub', [total, 'z'], difference)];
  const cut = form.isPadded ? [...cutPadding(opsetVersion), operator('Reshape', ['u', 'd'], 'v')] : [];
  return [...flatten, ...fields, ...sum, ...offset, ...cut];
}

/** The shape [−1]; before opset 9 a Constant holds floats only. */
function anyLength(output: string, opsetVersion: number): NodeProto[] {
  if (opsetVersion >= FIRST_INTEGER_CONSTANT) return [constant(output, int64([-1]))];
  return [constant('y0', floatTensor('', [1], Float32Array.of(-1))), cast('y0', output, DATA_TYPE.int64)];
}

/** f_i: the chunk's fields of all elements in order, in the given shape, times 2^shift, as float32. */
function decodeChunk({ width, shift }: Chunk, index: number, shape: string, opsetVersion: number): NodeProto[] {
  const name = (stem: string) => `${stem}${index}`;
  const isolated = opsetVersion >= FIRST_BIT_SHIFT ? isolateByShifts(width, name) : isolateByArithmetic(width, name);
  if (shift === 0) return [...isolated, operator('Reshape', [name('x'), shape], name('f'))];
  return [
    ...isolated,
    operator('Reshape', [name('x'), shape], name('g')),
    constant(name('h'), float(2 ** shift)),
    operator('Mul', [name('g'), name('h')], name('f')),
  ];
}

type Namer = (stem: string) => string;

/** x = (p << k) >> (8 − width) on uint8, for every field at once: shape [fieldCount, byteCount]. */
function isolateByShifts(width: number, name: Namer): NodeProto[] {
  const fieldCount = 8 / width;
  const lefts = Uint8Array.from({ length: fieldCount }, (_, field) => 8 - width * (field + 1));
  return [
    constant(name('l'), tensor(DATA_TYPE.uint8, [fieldCount, 1], lefts)),
    constant(name('r'), tensor(DATA_TYPE.uint8, [], Uint8Array.of(8 - width))),
    operator('BitShift', [name('p'), name('l')], name('i'), text('direction', 'LEFT')),
    operator('BitShift', [name('i'), name('r')], name('j'), text('direction', 'RIGHT')),
    cast(name('j'), name('x')),
  ];
}

/** x = ⌊p / 2^k⌋ mod 2^width in float32, exact below 2^24: shape [fieldCount, byteCount]. */
function isolateByArithmetic(width: number, name: Namer): NodeProto[] {
  const fieldCount = 8 / width;
  const powers = Float32Array.from({ length: fieldCount }, (_, field) => 2 ** (-width * field));
  return [
    constant(name('l'), floatTensor('', [fieldCount, 1], powers)),
    constant(name('r'), float(2 ** -width)),
    constant(name('k'), float(2 ** width)),
    cast(name('p'), name('i')),
    operator('Mul', [name('i'), name('l')], name('j')),
    operator('Floor', [name('j')], name('m')),
    operator('Mul', [name('m'), name('r')], name('o')),
    operator('Floor', [name('o')], name('q')),
    operator('Mul', [name('q'), name('k')], name('t')),
    operator('Sub', [name('m'), name('t')], name('x')),
  ];
}

/** u = c[0 : count]. */
function cutPadding(opsetVersion: number): NodeProto[] {
  if (slicesByInput(opsetVersion)) {
    return [constant('e', int64([0])), operator('Slice', ['c', 'e', 'n'], 'u')];
  }
  const ends = newAttribute({ name: 'ends', refAttrName: 'count', type: ATTRIBUTE_TYPE.ints });
  return [operator('Slice', ['c'], 'u', integers('starts', [0]), ends)];
}

/** w = v · scale. */
function applyScale(): NodeProto[] {
  return [cast('s', 'y'), operator('Mul', ['v', 'y'], 'w')];
}

function constant(output: string, value: TensorProto): NodeProto {
  return operator('Constant', [], output, newAttribute({ name: 'value', t: value, type: ATTRIBUTE_TYPE.tensor }));
}

function cast(input: string, output: string, dataType: number = DATA_TYPE.float32): NodeProto {
  return castTo(dataType, input, output);
}

function text(name: string, value: string): AttributeProto {
  return newAttribute({ name, s: new TextEncoder().encode(value), type: ATTRIBUTE_TYPE.string });
}

function tensor(dataType: number, dims: readonly number[], values: Uint8Array): TensorProto {
  return newTensor({ dataType, dims: dims.map(BigInt), rawData: values });
}

function float(value: number): TensorProto {
  return floatTensor('', [], Float32Array.of(value));
}

/** In int64_data, where small numbers take a byte each and not eight. */
export function int64(values: readonly number[], name?: string): TensorProto {
  const int64Data = values.map(BigInt);
  const dims = [BigInt(values.length)];
  return newTensor({ ...(name === undefined ? {} : { name }), dataType: DATA_TYPE.int64, dims, int64Data });
}
