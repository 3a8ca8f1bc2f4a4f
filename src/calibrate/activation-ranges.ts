/** The ranges of activations over the calibration samples, measured by the runtime and, for histograms, counted here. */
import type { Batch } from '../dataset/sample-set.ts';
import { UserError } from '../errors.ts';
import { allValueNames, freshName } from '../onnx/graph-index.ts';
import type { Model } from '../onnx/model.ts';
import { integer, operator } from '../onnx/node-builders.ts';
import type { ReportProgress } from '../progress.ts';
import { type ActivationRange, chooseRange, type Histogram, type RangeMethod } from '../quantize/activation-range.ts';
import type { OpenSession, Session } from '../runtime/session.ts';
import type { NamedTensors } from '../tensor.ts';
import { encodeModelProto, type NodeProto } from '../wire/model-proto.ts';
import { extendGraph } from './calibration-graph.ts';
import { sampleRuns } from './sample-runs.ts';

export type RangesInput = {
  readonly model: Model;
  /** Float values of the model's graph, its inputs included. */
  readonly valueNames: readonly string[];
  /** One at least. */
  readonly batches: readonly Batch[];
  readonly method: RangeMethod;
  readonly openSession: OpenSession;
  /** What the values that are held at once for counting may take. */
  readonly memoryLimitBytes: number;
  readonly reportProgress: ReportProgress;
};

/** Fine enough that a percentile of 99.99 or an eight-bit grid is told from its neighbours. */
const BIN_COUNT = 2048;

/**
 * One range per value, in the order of the names.
 *
 * @throws UserError naming the value, if it is NaN or infinite somewhere
 */
export async function measureActivationRanges(input: RangesInput): Promise<ReadonlyMap<string, ActivationRange>> {
  const extremes = await measureExtremes(input);
  if (input.method.kind === 'min-max') return extremes;
  const histograms = await countValues(input, extremes);
  return new Map([...histograms].map(([name, histogram]) => [name, chooseRange(histogram, input.method)]));
}

type Extremes = ActivationRange & { readonly elementCount: number };

async function measureExtremes(input: RangesInput): Promise<Map<string, Extremes>> {
  const { model, valueNames, batches, openSession } = input;
  const taken = allValueNames(model.graph);
  const asked = valueNames.map((value) => {
    const fresh = (stem: string) => freshName(`range_${stem}`, taken);
    return { value, least: fresh('min'), most: fresh('max'), size: fresh('size') };
  });
  const nodes = asked.flatMap(({ value, least, most, size }) => [
    // Without axes a reduction takes them all, in every opset alike.
    operator('ReduceMin', [value], least, integer('keepdims', 0)),
    operator('ReduceMax', [value], most, integer('keepdims', 0)),
    operator('Size', [value], size),
  ]);
  const outputs = asked.flatMap(({ least, most, size }) => [least, most, size]);
  const found = new Map<string, Extremes>();
  await withSession(extendedModel(model, nodes, outputs), openSession, async (session) => {
    for (const { feeds } of batches) {
      const results = await session.run(feeds);
      for (const { value, least, most, size } of asked) {
        const [min, max, count] = [least, most, size].map((name) => Number(results[name]!.data[0]));
        found.set(value, widen(found.get(value), min!, max!, count!, value, model.path));
      }
    }
  });
  return found;
}

function widen(
  known: Extremes | undefined,
  min: number,
  max: number,
  elementCount: number,
  value: string,
  path: string,
): Extremes {
  if (!Number.isFinite(min) || !Number.isFinite(max)) throw notFinite(value, path);
  if (known === undefined) return { min, max, elementCount };
  return {
    min: Math.min(known.min, min),
    max: Math.max(known.max, max),
    elementCount: Math.max(known.elementCount, elementCount),
  };
}

async function countValues(
  input: RangesInput,
  extremes: ReadonlyMap<string, Extremes>,
): Promise<Map<string, Histogram>> {
  const { model, valueNames, batches, openSession, reportProgress } = input;
  const histograms = new Map(
    [...extremes].map(([name, { min, max }]) => [name, { min, max, counts: new Float64Array(BIN_COUNT) }]),
  );
  const groups = groupBySize(valueNames, extremes, input.memoryLimitBytes);
  const total = groups.length * batches.reduce((sum, { sampleCount }) => sum + sampleCount, 0);
  let done = 0;
  // What is fed need not be asked for, and a model cannot have an input as its output.
  const inputs = new Set(Object.keys(batches[0]!.feeds));
  const outputs = valueNames.filter((name) => !inputs.has(name));
  await withSession(extendedModel(model, [], outputs), openSession, async (session) => {
    for (const group of groups) {
      for (const batch of batches) {
        for (const { feeds, weight } of sampleRuns(batch, undefined)) {
          const results = await runFor(session, feeds, group);
          addRun(histograms, group, results, weight);
        }
        done += batch.sampleCount;
        reportProgress({ activity: 'measuring the ranges of activations', done, total, unit: 'samples' });
      }
    }
  });
  return histograms;
}

/** The named values, of which a run makes those that are not fed. */
async function runFor(session: Session, feeds: NamedTensors, names: readonly string[]): Promise<NamedTensors> {
  const made = names.filter((name) => feeds[name] === undefined);
  return made.length === 0 ? feeds : { ...feeds, ...(await session.run(feeds, made)) };
}

function addRun(
  histograms: ReadonlyMap<string, Histogram>,
  names: readonly string[],
  results: NamedTensors,
  weight: number,
): void {
  for (const name of names) addValues(histograms.get(name)!, results[name]!.data as Float32Array, weight);
}

function addValues({ min, max, counts }: Histogram, values: Float32Array, weight: number): void {
  const perUnit = max > min ? counts.length / (max - min) : 0;
  const last = counts.length - 1;
  for (let index = 0; index < values.length; index++) {
    const bin = Math.min(last, Math.floor((values[index]! - min) * perUnit));
    counts[bin]! += weight;
  }
}

/** Values whose float32 elements fit the limit together; one that does not fit alone is a group of its own. */
function groupBySize(
  names: readonly string[],
  extremes: ReadonlyMap<string, Extremes>,
  limitBytes: number,
): string[][] {
  const groups: string[][] = [];
  let room = 0;
  for (const name of names) {
    const bytes = extremes.get(name)!.elementCount * Float32Array.BYTES_PER_ELEMENT;
    if (bytes > room || groups.length === 0) {
      groups.push([]);
      room = limitBytes;
    }
    groups.at(-1)!.push(name);
    room -= bytes;
  }
  return groups;
}

function extendedModel(model: Model, nodes: NodeProto[], outputs: readonly string[]): Uint8Array {
  return encodeModelProto(extendGraph(model, { nodes, initializers: [] }, outputs).proto);
}

async function withSession(
  model: Uint8Array,
  openSession: OpenSession,
  use: (session: Session) => Promise<void>,
): Promise<void> {
  const session = await openSession(model);
  try {
    await use(session);
  } finally {
    await session.release();
  }
}

function notFinite(value: string, path: string): UserError {
  return new UserError({
    what: `the value '${value}' is NaN or infinite for some calibration samples`,
    where: path,
    fix: 'check the preprocessing of the data, and the model in the framework that trained it',
  });
}
