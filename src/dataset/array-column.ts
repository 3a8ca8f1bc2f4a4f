/** The part of array samples that feeds one input: kept as stored (pixels stay bytes), preprocessed batch by batch. */
import type { PreprocessConfig } from '../config/config.ts';
import { UserError } from '../errors.ts';
import { decodeFloat16Array } from '../float16.ts';
import { type ElementType, elementCount, type Tensor, type TensorData } from '../tensor.ts';
import {
  allocateFeed,
  type FloatFeed,
  type FloatInput,
  floatTensor,
  isFloatInput,
  LARGEST_FINITE,
} from './float-feed.ts';
import type { NamedArray } from './load-arrays.ts';
import { checkArrayFitsInput } from './match-input.ts';
import { type Normalization, pixelWriter, planNormalization, writeNumbers } from './normalization.ts';
import type { NpyArray } from './npy-array.ts';
import type { InputSpec } from './sample-set.ts';

export type Column = {
  readonly inputName: string;
  readonly subject: string;
  readonly sampleCount: number;
  /** Feeds for the samples at `indices`, shape [indices.length, …]. */
  gather(indices: readonly number[]): Tensor;
  /** One sample as stored. */
  storedBytes(index: number): Uint8Array;
};

/** @throws UserError if the array does not fit the input or holds values that the input's type cannot */
export function openColumn(named: NamedArray, input: InputSpec, preprocess: PreprocessConfig, path: string): Column {
  checkArrayFitsInput(named, input, path);
  const { subject, array } = named;
  return {
    inputName: input.name,
    subject,
    sampleCount: array.dims[0]!,
    gather: isFloatInput(input)
      ? floatGatherer(named, input, preprocess, path)
      : (indices) => gatherStored(array, input.elementType, indices),
    storedBytes: (index) => storedBytes(array, index),
  };
}

function storedBytes({ dims, data }: NpyArray, index: number): Uint8Array {
  const sizeBytes = elementCount(dims.slice(1)) * data.BYTES_PER_ELEMENT;
  return new Uint8Array(data.buffer, data.byteOffset + index * sizeBytes, sizeBytes);
}

function floatGatherer(
  named: NamedArray,
  input: FloatInput,
  preprocess: PreprocessConfig,
  path: string,
): Column['gather'] {
  const sampleDims = named.array.dims.slice(1);
  const sampleLength = elementCount(sampleDims);
  const writeSample = sampleWriter(named.array, planNormalization(preprocess, sampleDims, input.name), input);
  // Once, before hours of work: a NaN found at the end would be found too late. The writer of pixels has checked them.
  if (named.array.dataType !== 'uint8') checkFinite(named, input, sampleLength, writeSample, path);
  return (indices) => {
    const values = allocateFeed(input, indices.length * sampleLength);
    indices.forEach((index, slot) => {
      writeSample(index, values, slot * sampleLength);
    });
    return floatTensor(input, [indices.length, ...sampleDims], values);
  };
}

/** Writes the preprocessed sample `index` to `target` at `offset`. */
type WriteSample = (index: number, target: FloatFeed, offset: number) => void;

function sampleWriter({ dataType, dims, data }: NpyArray, plan: Normalization, input: FloatInput): WriteSample {
  const length = elementCount(dims.slice(1));
  if (dataType === 'uint8') {
    const writePixels = pixelWriter(plan, input);
    return (index, target, offset) => {
      writePixels((data as Uint8Array).subarray(index * length, (index + 1) * length), target, offset);
    };
  }
  const numbers: (index: number) => FloatFeed =
    dataType === 'float16'
      ? (index) => decodeFloat16Array((data as Uint16Array).subarray(index * length, (index + 1) * length))
      : (index) => (data as FloatFeed).subarray(index * length, (index + 1) * length);
  return (index, target, offset) => {
    writeNumbers(plan, numbers(index), target, offset);
  };
}

function checkFinite(
  { subject, array }: NamedArray,
  input: FloatInput,
  sampleLength: number,
  writeSample: WriteSample,
  path: string,
): void {
  const largest = LARGEST_FINITE[input.elementType];
  const sample = new Float64Array(sampleLength);
  for (let index = 0; index < array.dims[0]!; index++) {
    writeSample(index, sample, 0);
    const position = sample.findIndex((value) => !(Math.abs(value) <= largest));
    if (position < 0) continue;
    throw new UserError({
      what:
        `${subject} has the value ${sample[position]} in sample ${index} (element ${position}) after preprocessing, ` +
        `but input '${input.name}' takes finite ${input.elementType}`,
      where: path,
      fix: 'remove or repair the sample; numpy.isfinite(array) finds such values',
    });
  }
}

/** How a feed's bytes are seen, for the types that are fed as they are stored. */
const ELEMENT_VIEWS: Readonly<Partial<Record<ElementType, (buffer: ArrayBuffer) => TensorData>>> = {
  uint8: (buffer) => new Uint8Array(buffer),
  bool: (buffer) => new Uint8Array(buffer),
  int8: (buffer) => new Int8Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  int64: (buffer) => new BigInt64Array(buffer),
};

function gatherStored(array: NpyArray, elementType: ElementType, indices: readonly number[]): Tensor {
  const sampleDims = array.dims.slice(1);
  const sizeBytes = elementCount(sampleDims) * array.data.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(indices.length * sizeBytes);
  indices.forEach((index, slot) => {
    bytes.set(storedBytes(array, index), slot * sizeBytes);
  });
  return { elementType, dims: [indices.length, ...sampleDims], data: ELEMENT_VIEWS[elementType]!(bytes.buffer) };
}
