/** The packed artifact beside the float model: bytes on disk, outputs, and time per run. Prints one JSON line per case. */
import { readFile } from 'node:fs/promises';
import { buildArtifact, type LayerContent, planArtifact } from '../src/artifact/packed-artifact.ts';
import { fixedBatchSize } from '../src/dataset/batches.ts';
import { type Layer, listLayers } from '../src/onnx/list-layers.ts';
import type { Model } from '../src/onnx/model.ts';
import { modelInputs } from '../src/onnx/model-inputs.ts';
import { floatTensor, readFloats } from '../src/onnx/tensor-values.ts';
import { dequantize, type QuantizedTensor } from '../src/quantize/quantized-tensor.ts';
import { quantizeToNearest } from '../src/quantize/round-to-nearest.ts';
import { openOnnxruntimeSession } from '../src/runtime/onnxruntime.ts';
import type { Session } from '../src/runtime/session.ts';
import type { NamedTensors } from '../src/tensor.ts';
import { encodeModelProto, type TensorProto } from '../src/wire/model-proto.ts';
import { printCase } from './print-case.ts';
import { loadBatches, loadPrepared, presentModels, type SharedModel } from './shared-models.ts';

/** Widths given to the layers in turn. */
const ALLOCATIONS: Readonly<Record<string, readonly number[]>> = {
  '2 bits': [2],
  '4 bits': [4],
  '2 to 8 bits': [2, 3, 4, 5, 6, 7, 8],
};

const BATCH_SIZES = [1, 64];

/** Sessions run in turn, so that all see the same load of the machine. */
const SHORTEST_SECONDS = 6;
const FEWEST_ROUNDS = 21;

export async function benchArtifact(): Promise<void> {
  for (const shared of presentModels()) {
    const model = await loadPrepared(shared);
    const layers = listLayers(model);
    for (const [allocation, widths] of Object.entries(ALLOCATIONS)) {
      const contents = quantizeLayers(model, layers, widths);
      const artifact = buildArtifact(planArtifact(model, layers, {}), contents);
      printCase({ bench: 'artifact', model: shared.name, allocation, ...sizes(model, layers, contents, artifact) });
      if (widths.length > 1) await compareRuns(shared, model, layers, contents, artifact);
    }
  }
}

function quantizeLayers(model: Model, layers: readonly Layer[], widths: readonly number[]): QuantizedTensor[] {
  const weights = new Map(model.graph.initializer.map((tensor) => [tensor.name, tensor]));
  return layers.map(({ weightName, dims, channelAxis }, index) => {
    const values = readFloats(weights.get(weightName)!, model.path);
    return quantizeToNearest({ values, dims, channelAxis }, widths[index % widths.length]!);
  });
}

/** The promise is (Σ bits·weights/8 + the float file's bytes that are no weights) + 4 %. */
function sizes(model: Model, layers: readonly Layer[], contents: readonly QuantizedTensor[], artifact: Uint8Array) {
  const bitBytes = layers.reduce((sum, { weightCount }, i) => sum + (weightCount * contents[i]!.grid.bitWidth) / 8, 0);
  const floatBytes = layers.reduce((sum, { weightCount, floatBitWidth }) => sum + (weightCount * floatBitWidth) / 8, 0);
  const otherBytes = model.contentSizeBytes - floatBytes;
  return {
    floatFileBytes: model.contentSizeBytes,
    artifactBytes: artifact.length,
    bitBytes,
    otherBytes,
    overheadRatio: artifact.length / (bitBytes + otherBytes) - 1,
  };
}

async function compareRuns(
  shared: SharedModel,
  model: Model,
  layers: readonly Layer[],
  contents: readonly QuantizedTensor[],
  artifact: Uint8Array,
): Promise<void> {
  const file = await open(new Uint8Array(await readFile(shared.path)));
  // Initializers that are listed as inputs keep the runtime from optimising the file itself; this one has none.
  const float = await open(fakeQuantize(model, layers, contents));
  const packed = await open(artifact);
  const fixed = fixedBatchSize(modelInputs(model));
  for (const batchSize of fixed === undefined ? BATCH_SIZES : [fixed]) {
    const { calibration, preprocess } = shared;
    const [batch] = await loadBatches(model, calibration, preprocess, { count: batchSize, batchSize });
    const { feeds } = batch!;
    const difference = relativeDifference(await packed.session.run(feeds), await float.session.run(feeds));
    const times = await timeInTurn([file.session, float.session, packed.session], feeds);
    const loading = { fileLoadMs: file.loadMs, artifactLoadMs: packed.loadMs };
    printCase({
      bench: 'artifact',
      model: shared.name,
      batchSize,
      relativeDifference: difference,
      ...times,
      ...loading,
    });
  }
  for (const { session } of [file, float, packed]) await session.release();
}

async function open(model: Uint8Array): Promise<{ session: Session; loadMs: number }> {
  const start = performance.now();
  const session = await openOnnxruntimeSession(model);
  return { session, loadMs: performance.now() - start };
}

function fakeQuantize(model: Model, layers: readonly Layer[], contents: readonly LayerContent[]): Uint8Array {
  const weights = new Map<string, TensorProto>();
  for (const [index, { weightName, dims, dataType }] of layers.entries()) {
    const content = contents[index]!;
    if (content !== 'float') weights.set(weightName, floatTensor(weightName, dims, dequantize(content), dataType));
  }
  const initializer = model.graph.initializer.map((tensor) => weights.get(tensor.name ?? '') ?? tensor);
  return encodeModelProto({ ...model.proto, graph: { ...model.graph, initializer } });
}

/** max |actual − expected| / max |expected|, the worst output's. */
function relativeDifference(actual: NamedTensors, expected: NamedTensors): number {
  const perOutput = Object.entries(expected).map(([name, { data }]) => {
    const found = actual[name]!.data;
    let [difference, magnitude] = [0, 0];
    for (let index = 0; index < data.length; index++) {
      difference = Math.max(difference, Math.abs(Number(found[index]) - Number(data[index])));
      magnitude = Math.max(magnitude, Math.abs(Number(data[index])));
    }
    return difference / magnitude;
  });
  return Math.max(...perOutput);
}

/** Median milliseconds of a run of each, and the medians of the rounds' ratios. */
async function timeInTurn(sessions: readonly [Session, Session, Session], feeds: NamedTensors) {
  const rounds: number[][] = [];
  for (const session of sessions) await session.run(feeds);
  const start = performance.now();
  while (rounds.length < FEWEST_ROUNDS || performance.now() - start < SHORTEST_SECONDS * 1000) {
    const times: number[] = [];
    for (const turn of sessions.keys()) {
      // Who goes first changes from round to round.
      const who = (turn + rounds.length) % sessions.length;
      times[who] = await timeRun(sessions[who]!, feeds);
    }
    rounds.push(times);
  }
  const medianOf = (measure: (times: number[]) => number) => median(rounds.map(measure));
  const fastest = (who: number) => Math.min(...rounds.map((times) => times[who]!));
  return {
    rounds: rounds.length,
    fileMs: medianOf(([file]) => file!),
    floatMs: medianOf(([, float]) => float!),
    artifactMs: medianOf(([, , artifact]) => artifact!),
    ratioToFile: medianOf(([file, , artifact]) => artifact! / file!),
    ratioToFloat: medianOf(([, float, artifact]) => artifact! / float!),
    // On a busy machine the fastest runs are those that nothing disturbed.
    fastestRatioToFile: fastest(2) / fastest(0),
    fastestRatioToFloat: fastest(2) / fastest(1),
  };
}

async function timeRun(session: Session, feeds: NamedTensors): Promise<number> {
  const start = performance.now();
  await session.run(feeds);
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
