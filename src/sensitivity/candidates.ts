/** Every layer at every width it is offered, corrected by itself: what sensitivities are measured of. */
import type { QuantizeConfig } from '../config/config.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import { floatTensor, readFloats } from '../onnx/tensor-values.ts';
import { correctOutput } from '../quantize/correct-output.ts';
import type { FloatWeight } from '../quantize/float-weight.ts';
import type { InputStatistics } from '../quantize/input-statistics.ts';
import type { MultiplyMatrices } from '../quantize/matrix-product.ts';
import { localSensitivity, outputVariance } from '../quantize/output-errors.ts';
import { quantizeLayer } from '../quantize/quantize-layer.ts';
import { dequantize, type QuantizedTensor } from '../quantize/quantized-tensor.ts';
import type { TensorProto } from '../wire/model-proto.ts';
import type { Perturbation } from './branch-graph.ts';

/** A layer at one precision. */
export type Candidate = {
  readonly layerIndex: number;
  /** 32 or 16 for a layer that stays float. */
  readonly bitWidth: number;
  /** Without a correction: that depends on the layers before. */
  readonly content: QuantizedTensor | 'float';
  /** The mean squared change of the layer's outputs over their variance, its own correction made; 0 without moments. */
  readonly localLoss: number;
  /** The layer's weight as this candidate has it, and its bias where a correction moves it; empty where it changes nothing. */
  readonly perturbation: Perturbation;
};

/** Which widths a layer may take, ascending. */
export type OfferedWidths = readonly (number | 'float')[];

export type LayerInput = {
  readonly model: Model;
  readonly layer: Layer;
  readonly layerIndex: number;
  readonly widths: OfferedWidths;
  readonly settings: Pick<QuantizeConfig, 'method' | 'correct' | 'granularity'>;
  /** Of the layer's input; `rtn` without a correction does without. */
  readonly statistics: InputStatistics | undefined;
  readonly multiply: MultiplyMatrices;
};

/** Quantize one layer at all its widths; the candidates in their order. */
export async function quantizeCandidates(input: LayerInput): Promise<Candidate[]> {
  const { model, layer, layerIndex, widths, settings, statistics, multiply } = input;
  const initializers = new Map(model.graph.initializer.map((tensor) => [tensor.name ?? '', tensor]));
  const { dims, channelAxis } = layer;
  const weight = { values: readFloats(initializers.get(layer.weightName)!, model.path), dims, channelAxis };
  const bitWidths = widths.filter((width) => width !== 'float');
  const tensors = await quantizeLayer(weight, statistics, bitWidths, settings, multiply);
  const variance = statistics === undefined ? 0 : await outputVariance(weight, statistics, multiply);
  const bias = layer.biasName === undefined ? undefined : initializers.get(layer.biasName);
  const candidates: Candidate[] = [];
  for (const width of widths) {
    const content = width === 'float' ? width : tensors[bitWidths.indexOf(width)]!;
    const effect = content === 'float' ? NO_EFFECT : await effectOf(input, { weight, variance, bias }, content);
    candidates.push({ layerIndex, bitWidth: width === 'float' ? layer.floatBitWidth : width, content, ...effect });
  }
  return candidates;
}

type FloatLayer = {
  readonly weight: FloatWeight;
  /** Of its output over the samples; 0 where no moments are measured. */
  readonly variance: number;
  readonly bias: TensorProto | undefined;
};

type Effect = Pick<Candidate, 'localLoss' | 'perturbation'>;

const NO_EFFECT: Effect = { localLoss: 0, perturbation: new Map() };

/** What a quantized weight does to its layer by itself, corrected where there is a bias to hold the shift. */
async function effectOf(
  { model, layer, settings, statistics, multiply }: LayerInput,
  { weight, variance, bias }: FloatLayer,
  content: QuantizedTensor,
): Promise<Effect> {
  if (statistics === undefined) return { localLoss: 0, perturbation: new Map([weightEntry(layer, content)]) };
  const correction = bias === undefined ? 'none' : settings.correct;
  const { content: corrected, shifts } = await correctOutput(weight, content, statistics, correction, multiply);
  const localLoss = await localSensitivity(weight, corrected, statistics, variance, multiply, shifts);
  if (bias === undefined) return { localLoss, perturbation: new Map([weightEntry(layer, corrected)]) };
  const values = readFloats(bias, model.path).map((value, channel) => value + shifts[channel]!);
  const shifted = floatTensor(bias.name ?? '', bias.dims.map(Number), values, bias.dataType);
  return { localLoss, perturbation: new Map([weightEntry(layer, corrected), [bias.name ?? '', shifted]]) };
}

function weightEntry({ weightName, dims, dataType }: Layer, content: QuantizedTensor): [string, TensorProto] {
  return [weightName, floatTensor(weightName, dims, dequantize(content), dataType)];
}
