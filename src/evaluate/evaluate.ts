/** The float model and the artifact over the same evaluation samples. */
import type { Metric } from '../config/config.ts';
import type { Batch } from '../dataset/sample-set.ts';
import { UserError } from '../errors.ts';
import type { ReportProgress } from '../progress.ts';
import type { Session } from '../runtime/session.ts';
import type { NamedTensors } from '../tensor.ts';
import type { Measurements } from './measurements.ts';
import { createClassScorer } from './score-classes.ts';
import { createDivergenceScorer } from './score-divergence.ts';

export type EvaluationInput = {
  /** Both stay open. */
  readonly floatSession: Session;
  readonly artifactSession: Session;
  readonly batches: AsyncIterable<Batch>;
  /** Of all batches together, for progress. */
  readonly sampleCount: number;
  readonly metric: Exclude<Metric, 'command'>;
  /** The output that the metric reads; the only one that serves it when absent. */
  readonly output?: string;
  readonly reportProgress: ReportProgress;
};

/**
 * Measures the metric of both models, and how far the artifact is from the float model, on every sample.
 *
 * @throws UserError if the model's outputs or the data do not serve the metric, or the float model's outputs are NaN
 */
export async function evaluate({
  floatSession,
  artifactSession,
  batches,
  sampleCount,
  metric,
  output,
  reportProgress,
}: EvaluationInput): Promise<Measurements> {
  const createScorer = metric === 'kl' ? createDivergenceScorer : createClassScorer.bind(undefined, metric);
  const scorer = createScorer(floatSession.outputNames, output);
  const report = (done: number) =>
    reportProgress({ activity: 'evaluating', done, total: sampleCount, unit: 'samples' });
  let done = 0;
  for await (const batch of batches) {
    report(done);
    const names = scorer.outputNames();
    const float = inOrder(await floatSession.run(batch.feeds, names), names);
    const artifact = inOrder(await artifactSession.run(batch.feeds, names), names);
    assertSameShapes(float, artifact);
    scorer.add({ ...batch, float, artifact, batchSize: fedCount(batch) });
    done += batch.sampleCount;
  }
  if (done === 0)
    throw new UserError({ what: 'there are no evaluation samples', fix: 'add samples to data.evaluation' });
  report(done);
  return scorer.measurements();
}

function inOrder(outputs: NamedTensors, names: readonly string[]): NamedTensors {
  return Object.fromEntries(names.map((name) => [name, outputs[name]!]));
}

function fedCount({ feeds, sampleCount }: Batch): number {
  return Object.values(feeds)[0]?.dims[0] ?? sampleCount;
}

/** The artifact keeps every shape of its model: anything else is a fault of its making. */
function assertSameShapes(float: NamedTensors, artifact: NamedTensors): void {
  for (const [name, { dims }] of Object.entries(float)) {
    const found = artifact[name]!.dims;
    if (dims.length === found.length && dims.every((dim, axis) => dim === found[axis])) continue;
    throw new Error(
      `output '${name}' is [${found.join(', ')}] in the artifact, [${dims.join(', ')}] in the float model`,
    );
  }
}
