/** The calibration stage: the moments of every layer's input, measured by the runtime. */
import type { Batch } from '../dataset/sample-set.ts';
import { attributeOf } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import { modelInputs } from '../onnx/model-inputs.ts';
import type { ReportProgress } from '../progress.ts';
import type { InputStatistics } from '../quantize/input-statistics.ts';
import type { OpenSession } from '../runtime/session.ts';
import type { NamedTensors } from '../tensor.ts';
import type { NodeProto } from '../wire/model-proto.ts';
import { calibrationGraph } from './calibration-graph.ts';
import { layerLayout } from './layer-layout.ts';
import { measureShapes } from './measure-shapes.ts';
import { MomentSums } from './moment-sums.ts';
import { type MeasuredNode, planCalibration } from './plan-calibration.ts';
import { sampleRuns } from './sample-runs.ts';

export type CalibrateInput = {
  /** As `prepareModel` leaves it. */
  readonly model: Model;
  readonly layers: readonly Layer[];
  /** One at least. */
  readonly batches: readonly Batch[];
  readonly openSession: OpenSession;
  /** What a session and the statistics that it measures may take, by estimate. */
  readonly memoryLimitBytes: number;
  readonly reportProgress: ReportProgress;
};

export type LayerStatistics = { readonly layerIndex: number; readonly statistics: InputStatistics };

/**
 * Measure the input of every layer over the calibration samples.
 *
 * @returns the layers in order; those of one session are held together, so drop each when it has been used
 * @throws UserError if an activation is not finite
 * @throws UnsupportedModelError if a layer's weight cannot be seen as matrices
 */
export async function* calibrate(input: CalibrateInput): AsyncGenerator<LayerStatistics> {
  const { model, layers, batches, openSession, memoryLimitBytes, reportProgress } = input;
  const isFree = modelInputs(model).every(({ dims }) => dims[0] === undefined);
  const [probe] = sampleRuns(batches[0]!, isFree ? PROBED_SAMPLES : undefined);
  const nodes = await describeNodes(model, layers, probe!.feeds, openSession);
  const [probedCount, fedCount] = [probe!.feeds, batches[0]!.feeds].map(fedSamples);
  const { runSize, groups } = planCalibration(nodes, probedCount!, isFree ? fedCount! : undefined, memoryLimitBytes);
  const total = groups.length * batches.reduce((sum, { sampleCount }) => sum + sampleCount, 0);
  let done = 0;
  const tell = (count: number) => {
    done += count;
    reportProgress({ activity: 'measuring the inputs of layers', done, total, unit: 'samples' });
  };
  tell(0);
  for (const group of groups) {
    const sums = await measureGroup(input, group, runSize, tell);
    for (const [layerIndex, sum] of sums) {
      sums.delete(layerIndex);
      yield { layerIndex, statistics: sum.finish() };
    }
  }
}

/** For shapes, a few say what a batch would, in a fraction of its memory; of one, models may drop the axis. */
const PROBED_SAMPLES = 2;

function fedSamples(feeds: NamedTensors): number {
  return Object.values(feeds)[0]!.dims[0]!;
}

async function describeNodes(
  model: Model,
  layers: readonly Layer[],
  feeds: NamedTensors,
  openSession: OpenSession,
): Promise<MeasuredNode[]> {
  const { path, opsetVersion } = model;
  const layouts = layers.map((layer) => layerLayout(layer, path));
  const shapes = await measureShapes(model, layers, feeds, openSession);
  return layers.flatMap((layer, layerIndex) =>
    layer.nodes.map((node) => {
      const { input: inputDims, output: outputDims } = shapes.get(node)!;
      return { layerIndex, layer, node, layout: layouts[layerIndex]!, inputDims, outputDims, opsetVersion, path };
    }),
  );
}

async function measureGroup(
  { model, batches, openSession }: CalibrateInput,
  nodes: readonly MeasuredNode[],
  runSize: number | undefined,
  tell: (sampleCount: number) => void,
): Promise<Map<number, MomentSums>> {
  const graph = calibrationGraph(model, nodes);
  const sums = new Map(nodes.map((measured) => [measured.layerIndex, new MomentSums(measured)]));
  const session = await openSession(graph.bytes);
  try {
    for (const batch of batches) {
      for (const { feeds, weight } of sampleRuns(batch, runSize)) {
        const results = await session.run(feeds);
        for (const [index, { layerIndex, node }] of nodes.entries()) {
          sums.get(layerIndex)!.add(results, graph.outputs[index]!, node, weight, factorOf(node));
        }
      }
      tell(batch.sampleCount);
    }
  } finally {
    await session.release();
  }
  return sums;
}

/** Gemm multiplies the product with alpha. */
function factorOf(node: NodeProto): number {
  return node.opType === 'Gemm' ? (attributeOf(node, 'alpha')?.f ?? 1) : 1;
}
