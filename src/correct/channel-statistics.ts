/** The nodes that fit a quantized output to its target, channel by channel, over several batches of equal size. */
import type { Correction } from '../config/config.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { int64Vector, integer, integers, operator, scalar } from '../onnx/node-builders.ts';
import type { NodeProto, TensorProto } from '../wire/model-proto.ts';

export type Fit = {
  /** Values, one per batch: outputs of the quantized layer, what they should be, and the names of what is made. */
  readonly quantized: readonly string[];
  readonly targets: readonly string[];
  readonly results: readonly string[];
  readonly outputs: { readonly factor: string; readonly meanQuantized: string; readonly meanTarget: string };
  readonly layer: Layer;
};

/** Keeps a channel without variance at the factor 1: (0 + ε) / (0 + ε). */
const EPSILON = 1e-12;

/** A factor outside would mean that the quantized channel has lost its signal: then it is left about as it is. */
const SMALLEST_FACTOR = 0.25;
const LARGEST_FACTOR = 4;

/** ReduceMean takes its axes as an input from opset 18 on. */
const FIRST_AXES_INPUT = 18;

export class ChannelStatistics {
  readonly #opsetVersion: number;
  readonly #correction: Exclude<Correction, 'none'>;
  readonly #constants = new Map<string, TensorProto>();

  constructor(opsetVersion: number, correction: Exclude<Correction, 'none'>) {
    this.#opsetVersion = opsetVersion;
    this.#correction = correction;
  }

  /** Initializers that the nodes so far read. */
  get constants(): readonly TensorProto[] {
    return [...this.#constants.values()];
  }

  correct({ quantized, targets, results, outputs, layer }: Fit): NodeProto[] {
    const { factor, meanQuantized, meanTarget } = outputs;
    const [flatten, rows] = this.#asRows(layer);
    const [found, wanted] = [quantized.map(rows), targets.map(rows)];
    const axes = reducedAxes(layer);
    return [
      ...[...quantized, ...targets].flatMap(flatten),
      ...this.#mean(found, axes, meanQuantized),
      ...this.#mean(wanted, axes, meanTarget),
      ...(this.#correction === 'affine' ? this.#factor(found, wanted, axes, outputs) : this.#one(outputs)),
      operator('Mul', [factor, meanQuantized], `${factor}@scaledMean`),
      operator('Sub', [meanTarget, `${factor}@scaledMean`], `${factor}@shift`),
      ...quantized.flatMap((value, batch) => [
        operator('Mul', [value, factor], `${value}@scaled`),
        operator('Add', [`${value}@scaled`, `${factor}@shift`], results[batch]!),
      ]),
    ];
  }

  /** MatMul's output has any number of axes before the channels: its statistics are taken of a matrix. */
  #asRows({ opType, dims }: Layer): [flatten: (value: string) => NodeProto[], rows: (value: string) => string] {
    if (opType !== 'MatMul') return [() => [], (value) => value];
    const shape = `@rows${dims.at(-1)}`;
    this.#constants.set(shape, int64Vector([-1, dims.at(-1)!], shape));
    return [(value) => [operator('Reshape', [value, shape], `${value}@rows`)], (value) => `${value}@rows`];
  }

  /** The factor 1, once per channel. */
  #one({ factor, meanQuantized }: Fit['outputs']): NodeProto[] {
    return [
      operator('Sub', [meanQuantized, meanQuantized], `${factor}@zero`),
      operator('Add', [`${factor}@zero`, this.#scalar(1)], factor),
    ];
  }

  /** factor = clip((cov + ε) / (var + ε)). */
  #factor(
    quantized: readonly string[],
    targets: readonly string[],
    axes: readonly number[],
    { factor, meanQuantized, meanTarget }: Fit['outputs'],
  ): NodeProto[] {
    const epsilon = this.#scalar(EPSILON);
    const centred = (values: readonly string[], mean: string) =>
      values.map((value) => operator('Sub', [value, mean], `${value}@centred`));
    const square = (value: string) => operator('Mul', [`${value}@centred`, `${value}@centred`], `${value}@square`);
    const product = (value: string, batch: number) =>
      operator('Mul', [`${value}@centred`, `${targets[batch]}@centred`], `${value}@product`);
    return [
      ...centred(quantized, meanQuantized),
      ...centred(targets, meanTarget),
      ...quantized.map(square),
      ...this.#mean(
        quantized.map((value) => `${value}@square`),
        axes,
        `${factor}@variance`,
      ),
      ...quantized.map(product),
      ...this.#mean(
        quantized.map((value) => `${value}@product`),
        axes,
        `${factor}@covariance`,
      ),
      operator('Add', [`${factor}@variance`, epsilon], `${factor}@divisor`),
      operator('Add', [`${factor}@covariance`, epsilon], `${factor}@dividend`),
      operator('Div', [`${factor}@dividend`, `${factor}@divisor`], `${factor}@free`),
      operator('Max', [`${factor}@free`, this.#scalar(SMALLEST_FACTOR)], `${factor}@above`),
      operator('Min', [`${factor}@above`, this.#scalar(LARGEST_FACTOR)], factor),
    ];
  }

  /** The mean over all axes but the channels', and over the batches. */
  #mean(values: readonly string[], axes: readonly number[], output: string): NodeProto[] {
    const means = values.map((value) => this.#reduceMean(value, axes, `${value}@mean`));
    const sum = operator(
      'Sum',
      means.map(({ output: [name] }) => name!),
      `${output}@sum`,
    );
    return [...means, sum, operator('Mul', [`${output}@sum`, this.#scalar(1 / values.length)], output)];
  }

  #reduceMean(value: string, axes: readonly number[], output: string): NodeProto {
    const keepDims = integer('keepdims', 1);
    if (this.#opsetVersion < FIRST_AXES_INPUT) {
      return operator('ReduceMean', [value], output, integers('axes', axes), keepDims);
    }
    const name = `@axes${axes.join('_')}`;
    this.#constants.set(name, int64Vector(axes, name));
    return operator('ReduceMean', [value, name], output, keepDims);
  }

  #scalar(value: number): string {
    const name = `@scalar${value}`;
    this.#constants.set(name, scalar(value, name));
    return name;
  }
}

/** Convolutions put channels on axis 1 of as many axes as their weight has, matrices on the second of two. */
function reducedAxes({ opType, dims }: Layer): number[] {
  if (opType === 'Gemm' || opType === 'MatMul') return [0];
  return dims.map((_, axis) => axis).filter((axis) => axis !== 1);
}
