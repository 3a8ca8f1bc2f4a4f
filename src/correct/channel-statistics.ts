/** The nodes that fit a quantized output to its target, channel by channel, over several batches of equal size. */
import type { Correction } from '../config/config.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { int64Vector, integer, integers, operator, scalar } from '../onnx/node-builders.ts';
import type { NodeProto, TensorProto } from '../wire/model-proto.ts';

/** Names of what is found per channel. */
export type ChannelFit = { readonly factor: string; readonly meanQuantized: string; readonly meanTarget: string };

/**
 * ε keeps a channel without variance at the factor 1: (0 + ε) / (0 + ε). It is above the rounding of single-precision sums, which
 * grows with the mean that the channel stays at, and far below the variance of a channel that carries anything.
 */
const EPSILON_PER_SQUARE = 1e-6;
const SMALLEST_EPSILON = 1e-12;

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

  /** The mean of values (one per batch) by channel. */
  mean(values: readonly string[], layer: Layer, mean: string): NodeProto[] {
    const { flatten, rows } = this.#asRows(layer);
    return [...values.flatMap(flatten), ...this.#mean(values.map(rows), reducedAxes(layer), mean)];
  }

  /** The factor between quantized outputs and their targets (one per batch), whose means are known. */
  fit(quantized: readonly string[], targets: readonly string[], layer: Layer, fit: ChannelFit): NodeProto[] {
    if (this.#correction === 'bias') return this.#one(fit);
    const { rows } = this.#asRows(layer);
    return this.#factor(quantized.map(rows), targets.map(rows), reducedAxes(layer), fit);
  }

  /** results = factor · (quantized − meanQuantized) + meanTarget, batch by batch. */
  apply(quantized: readonly string[], fit: ChannelFit, results: readonly string[]): NodeProto[] {
    const { factor, meanQuantized, meanTarget } = fit;
    return [
      operator('Mul', [factor, meanQuantized], `${factor}@scaledMean`),
      operator('Sub', [meanTarget, `${factor}@scaledMean`], `${factor}@shift`),
      ...quantized.flatMap((value, batch) => [
        operator('Mul', [value, factor], `${value}@scaled`),
        operator('Add', [`${value}@scaled`, `${factor}@shift`], results[batch]!),
      ]),
    ];
  }

  /** MatMul's output has any number of axes before the channels: its statistics are taken of a matrix. */
  #asRows({ opType, dims }: Layer): { flatten: (value: string) => NodeProto[]; rows: (value: string) => string } {
    if (opType !== 'MatMul') return { flatten: () => [], rows: (value) => value };
    const shape = `@rows${dims.at(-1)}`;
    this.#constants.set(shape, int64Vector([-1, dims.at(-1)!], shape));
    const rows = (value: string) => `${value}@rows`;
    return { flatten: (value) => [operator('Reshape', [value, shape], rows(value))], rows };
  }

  /** The factor 1, once per channel. */
  #one({ factor, meanQuantized }: ChannelFit): NodeProto[] {
    return [
      operator('Sub', [meanQuantized, meanQuantized], `${factor}@zero`),
      operator('Add', [`${factor}@zero`, this.#scalar(1)], factor),
    ];
  }

  /**
   * factor = clip((g·cov + ε) / (var + ε)) with g = var / (var + ε), which is 1 but for a channel without variance, whose
   * covariance is rounding. Second moments are taken about the mean of the first batch, which keeps their digits
   * as the mean of all would, and lets each batch be reduced by itself: what is large lives only as long as its batch.
   */
  #factor(
    quantized: readonly string[],
    targets: readonly string[],
    axes: readonly number[],
    fit: ChannelFit,
  ): NodeProto[] {
    const { factor, meanQuantized, meanTarget } = fit;
    const [pilot, targetPilot] = [`${quantized[0]}@mean`, `${targets[0]}@mean`];
    const deviations = quantized.flatMap((value, batch) => [
      operator('Sub', [value, pilot], `${value}@centred`),
      operator('Mul', [`${value}@centred`, `${value}@centred`], `${value}@square`),
      this.#reduceMean(`${value}@square`, axes, `${value}@squares`),
      operator('Sub', [targets[batch]!, targetPilot], `${value}@targetCentred`),
      operator('Mul', [`${value}@centred`, `${value}@targetCentred`], `${value}@product`),
      this.#reduceMean(`${value}@product`, axes, `${value}@products`),
    ]);
    const moment = (part: string, output: string) =>
      this.#average(
        quantized.map((value) => `${value}@${part}`),
        output,
      );
    const epsilon = `${factor}@epsilon`;
    return [
      ...deviations,
      ...moment('squares', `${factor}@squares`),
      ...moment('products', `${factor}@products`),
      operator('Mul', [pilot, pilot], `${factor}@pilotSquare`),
      operator('Mul', [`${factor}@pilotSquare`, this.#scalar(EPSILON_PER_SQUARE)], `${factor}@relative`),
      operator('Add', [`${factor}@relative`, this.#scalar(SMALLEST_EPSILON)], epsilon),
      operator('Sub', [meanQuantized, pilot], `${factor}@off`),
      operator('Sub', [meanTarget, targetPilot], `${factor}@targetOff`),
      operator('Mul', [`${factor}@off`, `${factor}@off`], `${factor}@offSquare`),
      operator('Mul', [`${factor}@off`, `${factor}@targetOff`], `${factor}@offProduct`),
      operator('Sub', [`${factor}@squares`, `${factor}@offSquare`], `${factor}@variance`),
      operator('Sub', [`${factor}@products`, `${factor}@offProduct`], `${factor}@covariance`),
      operator('Add', [`${factor}@variance`, epsilon], `${factor}@divisor`),
      operator('Div', [`${factor}@variance`, `${factor}@divisor`], `${factor}@gate`),
      operator('Mul', [`${factor}@covariance`, `${factor}@gate`], `${factor}@gated`),
      operator('Add', [`${factor}@gated`, epsilon], `${factor}@dividend`),
      operator('Div', [`${factor}@dividend`, `${factor}@divisor`], `${factor}@free`),
      operator('Max', [`${factor}@free`, this.#scalar(SMALLEST_FACTOR)], `${factor}@above`),
      operator('Min', [`${factor}@above`, this.#scalar(LARGEST_FACTOR)], factor),
    ];
  }

  /** The mean over all axes but the channels', and over the batches. */
  #mean(values: readonly string[], axes: readonly number[], output: string): NodeProto[] {
    const means = values.map((value) => this.#reduceMean(value, axes, `${value}@mean`));
    return [
      ...means,
      ...this.#average(
        values.map((value) => `${value}@mean`),
        output,
      ),
    ];
  }

  #average(values: readonly string[], output: string): NodeProto[] {
    const scale = this.#scalar(1 / values.length);
    return [operator('Sum', [...values], `${output}@sum`), operator('Mul', [`${output}@sum`, scale], output)];
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
