/**
 * One graph that walks the float and the quantized network side by side and corrects every quantized layer as it goes.
 *
 * Each batch of calibration samples has its own copy of both networks. Behind a quantized layer, with q its output and t what
 * it should be, per output channel over all samples of all batches,
 *
 *     a = (cov(q, t) + ε) / (var(q) + ε)        c = mean(t) − a·mean(q)
 *
 * and what follows reads a·q + c: the quantized prefix is in place, corrections included, and each layer runs once.
 */
import type { Correction } from '../config/config.ts';
import { DATA_TYPE } from '../onnx/data-type.ts';
import { type GraphIndex, indexGraph, readValues } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import { castTo, operator } from '../onnx/node-builders.ts';
import { renameNode } from '../onnx/rename-values.ts';
import { encodeModelProto, type NodeProto, newOutput, type TensorProto } from '../wire/model-proto.ts';
import { ChannelStatistics } from './channel-statistics.ts';
import { type MatchPoint, matchPoints } from './match-points.ts';

export type CorrectionGraph = {
  /** The encoded ONNX model; its inputs are the model's with `@` and the number of the batch behind the name. */
  readonly bytes: Uint8Array;
  /** Names of the outputs with a, mean(q) and mean(t) of each corrected layer, by layer index. */
  readonly outputs: ReadonlyMap<number, CorrectionOutputs>;
};

export type CorrectionOutputs = {
  readonly factor: string;
  readonly meanQuantized: string;
  readonly meanTarget: string;
};

/** The name of an input for one batch. */
export function batchInput(name: string, batch: number): string {
  return `${name}@${batch}`;
}

/**
 * @param weights the quantized weights by initializer name; layers without one stay float and are not corrected
 * @param batchCount how many batches are fed at once
 */
export function correctionGraph(
  model: Model,
  layers: readonly Layer[],
  weights: ReadonlyMap<string, TensorProto>,
  batchCount: number,
  correction: Exclude<Correction, 'none'>,
): CorrectionGraph {
  const walk = new Walk(model, layers, weights, batchCount, correction);
  for (const node of model.graph.node) walk.visit(node);
  return walk.finish();
}

type Network = 'float' | 'quantized';

class Walk {
  readonly #model: Model;
  readonly #weights: ReadonlyMap<string, TensorProto>;
  readonly #batchCount: number;
  readonly #index: GraphIndex;
  readonly #statistics: ChannelStatistics;
  readonly #layers: readonly Layer[];
  /** What is corrected, by the value's name. */
  readonly #points = new Map<string, { readonly layerIndex: number; readonly point: MatchPoint }>();
  readonly #nodes: NodeProto[] = [];
  readonly #done = new Set<string>();
  readonly #outputs = new Map<number, CorrectionOutputs>();

  constructor(
    model: Model,
    layers: readonly Layer[],
    weights: ReadonlyMap<string, TensorProto>,
    batchCount: number,
    correction: Exclude<Correction, 'none'>,
  ) {
    this.#model = model;
    this.#layers = layers;
    this.#weights = weights;
    this.#batchCount = batchCount;
    this.#index = indexGraph(model.graph);
    this.#statistics = new ChannelStatistics(model.opsetVersion, correction);
    for (const [layerIndex, point] of matchPoints(model, layers)) {
      if (weights.has(layers[layerIndex]!.weightName)) this.#points.set(point.output, { layerIndex, point });
    }
  }

  visit(node: NodeProto): void {
    for (const network of ['float', 'quantized'] as const) {
      for (let batch = 0; batch < this.#batchCount; batch++) this.#make(network, batch, node);
    }
  }

  finish(): CorrectionGraph {
    const { graph, proto } = this.#model;
    const quantized = [...this.#weights].map(([name, tensor]) => ({ ...tensor, name: `${name}${QUANTIZED_WEIGHT}` }));
    const input = graph.input.flatMap((info) =>
      Array.from({ length: this.#batchCount }, (_, batch) => ({ ...info, name: batchInput(info.name ?? '', batch) })),
    );
    const output = [...this.#outputs.values()].flatMap(({ factor, meanQuantized, meanTarget }) =>
      [factor, meanQuantized, meanTarget].map(newOutput),
    );
    const initializer = [...graph.initializer, ...quantized, ...this.#statistics.constants];
    const walked = { ...graph, node: this.#nodes, initializer, input, output, valueInfo: [] };
    return { bytes: encodeModelProto({ ...proto, graph: walked }), outputs: this.#outputs };
  }

  /** A node in one network for one batch, what it reads before it, and the correction of what it makes behind it. */
  #make(network: Network, batch: number, node: NodeProto): void {
    const key = `${network}${batch}${node.output.join(' ')}`;
    if (this.#done.has(key)) return;
    this.#done.add(key);
    for (const name of readValues(node)) this.#ensure(network, batch, name);
    const corrected = node.output.find((name) => this.#points.has(name));
    const isCorrected = network === 'quantized' && corrected !== undefined;
    this.#nodes.push(renameNode(node, this.#namesFor(network, batch, node, isCorrected)));
    if (isCorrected) this.#correct(corrected);
  }

  #ensure(network: Network, batch: number, name: string): void {
    const producer = this.#index.producers.get(name);
    if (producer !== undefined) this.#make(network, batch, producer);
  }

  #namesFor(network: Network, batch: number, node: NodeProto, isRaw: boolean): ReadonlyMap<string, string> {
    const names = new Map<string, string>();
    for (const name of readValues(node)) names.set(name, this.#name(network, batch, name));
    for (const name of node.output) {
      if (name !== '') names.set(name, isRaw ? rawName(batch, name) : this.#name(network, batch, name));
    }
    return names;
  }

  #name(network: Network, batch: number, name: string): string {
    if (this.#index.producers.has(name)) return `${name}@${network}${batch}`;
    if (this.#index.initializers.has(name)) {
      return network === 'quantized' && this.#weights.has(name) ? `${name}${QUANTIZED_WEIGHT}` : name;
    }
    return batchInput(name, batch);
  }

  /** Once, when the first batch comes to the layer: the others are brought there too. */
  #correct(name: string): void {
    const { layerIndex, point } = this.#points.get(name)!;
    if (this.#outputs.has(layerIndex)) return;
    this.#outputs.set(layerIndex, outputsOf(name));
    const producer = this.#index.producers.get(name)!;
    const batches = Array.from({ length: this.#batchCount }, (_, batch) => batch);
    for (const batch of batches) this.#make('quantized', batch, producer);
    const layer = this.#layers[layerIndex]!;
    const isHalf = layer.dataType === DATA_TYPE.float16;
    const widened = (value: string) => (isHalf ? this.#push(castTo(DATA_TYPE.float32, value, `${value}@wide`)) : value);
    this.#nodes.push(
      ...this.#statistics.correct({
        quantized: batches.map((batch) => widened(rawName(batch, name))),
        targets: batches.map((batch) => widened(this.#target(batch, point))),
        results: batches.map((batch) => `${this.#name('quantized', batch, name)}${isHalf ? '@wide' : ''}`),
        outputs: outputsOf(name),
        layer,
      }),
    );
    if (!isHalf) return;
    for (const batch of batches) {
      const result = this.#name('quantized', batch, name);
      this.#push(castTo(DATA_TYPE.float16, `${result}@wide`, result));
    }
  }

  /** What the layer's output should be: the float output, or what the float sum leaves beside the quantized other term. */
  #target(batch: number, { output, sum }: MatchPoint): string {
    this.#ensure('float', batch, sum?.output ?? output);
    if (sum === undefined) return this.#name('float', batch, output);
    this.#ensure('quantized', batch, sum.other);
    const inputs = [this.#name('float', batch, sum.output), this.#name('quantized', batch, sum.other)];
    return this.#push(operator('Sub', inputs, `${output}@target${batch}`));
  }

  #push(node: NodeProto): string {
    this.#nodes.push(node);
    return node.output[0]!;
  }
}

const QUANTIZED_WEIGHT = '@quantized';

function rawName(batch: number, name: string): string {
  return `${name}@raw${batch}`;
}

function outputsOf(name: string): CorrectionOutputs {
  return { factor: `${name}@factor`, meanQuantized: `${name}@meanQuantized`, meanTarget: `${name}@meanTarget` };
}
