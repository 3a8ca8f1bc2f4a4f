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
import { type ChannelFit, ChannelStatistics } from './channel-statistics.ts';
import { type MatchPoint, matchPoints } from './match-points.ts';

export type CorrectionGraph = {
  /** The encoded ONNX model; its inputs are the model's with `@` and the number of the batch behind the name. */
  readonly bytes: Uint8Array;
  /** The outputs of each corrected layer, by layer index. */
  readonly fits: ReadonlyMap<number, LayerFits>;
};

export type LayerFits = {
  readonly chosen: ChannelFit;
  /** Of the same layer with other weights in the same place, in the order in which they were given. */
  readonly alternatives: readonly ChannelFit[];
};

export type WalkInput = {
  readonly model: Model;
  readonly layers: readonly Layer[];
  /** The quantized weights by initializer name; layers without one stay float and are not corrected. */
  readonly weights: ReadonlyMap<string, TensorProto>;
  /** Other weights of a layer to be fitted in its place, without following them, by layer index. */
  readonly alternatives?: ReadonlyMap<number, readonly TensorProto[]>;
  /** How many batches are fed at once. */
  readonly batchCount: number;
  readonly correction: Exclude<Correction, 'none'>;
};

/** The name of an input for one batch. */
export function batchInput(name: string, batch: number): string {
  return `${name}@${batch}`;
}

export function correctionGraph(input: WalkInput): CorrectionGraph {
  const walk = new Walk(input);
  for (const node of input.model.graph.node) walk.visit(node);
  return walk.finish();
}

type Network = 'float' | 'quantized';

class Walk {
  readonly #input: WalkInput;
  readonly #index: GraphIndex;
  readonly #statistics: ChannelStatistics;
  readonly #batches: readonly number[];
  /** What is corrected, by the value's name. */
  readonly #points = new Map<string, { readonly layerIndex: number; readonly point: MatchPoint }>();
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[];
  readonly #done = new Set<string>();
  readonly #fits = new Map<number, LayerFits>();

  constructor(input: WalkInput) {
    const { model, layers, weights } = input;
    this.#input = input;
    this.#index = indexGraph(model.graph);
    this.#statistics = new ChannelStatistics(model.opsetVersion, input.correction);
    this.#batches = Array.from({ length: input.batchCount }, (_, batch) => batch);
    this.#initializers = [...weights].map(([name, tensor]) => ({ ...tensor, name: `${name}${QUANTIZED_WEIGHT}` }));
    for (const [layerIndex, point] of matchPoints(model, layers)) {
      if (weights.has(layers[layerIndex]!.weightName)) this.#points.set(point.output, { layerIndex, point });
    }
  }

  visit(node: NodeProto): void {
    for (const network of ['float', 'quantized'] as const) {
      for (const batch of this.#batches) this.#make(network, batch, node);
    }
  }

  finish(): CorrectionGraph {
    const { graph, proto } = this.#input.model;
    const input = graph.input.flatMap((info) =>
      this.#batches.map((batch) => ({ ...info, name: batchInput(info.name ?? '', batch) })),
    );
    const fits = [...this.#fits.values()].flatMap(({ chosen, alternatives }) => [chosen, ...alternatives]);
    const output = [...new Set(fits.flatMap((fit) => Object.values(fit)))].map(newOutput);
    const initializer = [...graph.initializer, ...this.#initializers, ...this.#statistics.constants];
    const walked = { ...graph, node: this.#nodes, initializer, input, output, valueInfo: [] };
    return { bytes: encodeModelProto({ ...proto, graph: walked }), fits: this.#fits };
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
      return network === 'quantized' && this.#input.weights.has(name) ? `${name}${QUANTIZED_WEIGHT}` : name;
    }
    return batchInput(name, batch);
  }

  /** Once, when the first batch comes to the layer: the others are brought there too. */
  #correct(name: string): void {
    const { layerIndex, point } = this.#points.get(name)!;
    if (this.#fits.has(layerIndex)) return;
    const [chosen, layer] = [fitOf(name, ''), this.#input.layers[layerIndex]!];
    const others = this.#input.alternatives?.get(layerIndex) ?? [];
    const alternatives = others.map((_, number) => ({ ...fitOf(name, `@${number}`), meanTarget: chosen.meanTarget }));
    this.#fits.set(layerIndex, { chosen, alternatives });
    const producer = this.#index.producers.get(name)!;
    for (const batch of this.#batches) this.#make('quantized', batch, producer);
    const targets = this.#batches.map((batch) => this.#widen(this.#target(batch, point), layer));
    this.#nodes.push(...this.#statistics.mean(targets, layer, chosen.meanTarget));
    const raw = this.#fit(
      layer,
      this.#batches.map((batch) => rawName(batch, name)),
      targets,
      chosen,
    );
    for (const [number, weight] of others.entries()) {
      this.#fit(layer, this.#tryWeight(layer, name, number, weight), targets, alternatives[number]!);
    }
    this.#follow(layer, name, raw, chosen);
  }

  #fit(layer: Layer, outputs: readonly string[], targets: readonly string[], fit: ChannelFit): readonly string[] {
    const quantized = outputs.map((value) => this.#widen(value, layer));
    this.#nodes.push(...this.#statistics.mean(quantized, layer, fit.meanQuantized));
    this.#nodes.push(...this.#statistics.fit(quantized, targets, layer, fit));
    return quantized;
  }

  /** The layer once more per batch with another weight; the outputs, in batch order. */
  #tryWeight(layer: Layer, name: string, number: number, weight: TensorProto): string[] {
    const weightName = `${layer.weightName}@${number}`;
    this.#initializers.push({ ...weight, name: weightName });
    const node = layer.nodes[0]!;
    const producer = this.#index.producers.get(name)!;
    return this.#batches.map((batch) => {
      const made = (value: string) => `${rawName(batch, value)}@${number}`;
      for (const copied of producer === node ? [node] : [node, producer]) {
        const names = new Map(this.#namesFor('quantized', batch, copied, true));
        names.set(layer.weightName, weightName);
        // What the node of the layer makes is read by the Add of its bias.
        for (const value of [...node.output, ...copied.output]) names.set(value, made(value));
        this.#nodes.push(renameNode(copied, names));
      }
      return made(name);
    });
  }

  /** What comes after the layer reads the corrected output. */
  #follow(layer: Layer, name: string, raw: readonly string[], fit: ChannelFit): void {
    const results = this.#batches.map((batch) => this.#name('quantized', batch, name));
    if (layer.dataType !== DATA_TYPE.float16) {
      this.#nodes.push(...this.#statistics.apply(raw, fit, results));
      return;
    }
    this.#nodes.push(
      ...this.#statistics.apply(
        raw,
        fit,
        results.map((result) => `${result}@wide`),
      ),
    );
    for (const result of results) this.#push(castTo(DATA_TYPE.float16, `${result}@wide`, result));
  }

  /** Statistics are taken in float32. */
  #widen(value: string, { dataType }: Layer): string {
    return dataType === DATA_TYPE.float16 ? this.#push(castTo(DATA_TYPE.float32, value, `${value}@wide`)) : value;
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

function fitOf(name: string, mark: string): ChannelFit {
  return {
    factor: `${name}@factor${mark}`,
    meanQuantized: `${name}@meanQuantized${mark}`,
    meanTarget: `${name}@meanTarget`,
  };
}
