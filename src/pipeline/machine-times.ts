/** How fast this machine is with the float model, for forecasts. */
import type { Batch } from '../dataset/sample-set.ts';
import type { Model } from '../onnx/model.ts';
import type { OpenSession } from '../runtime/session.ts';
import type { MachineTimes } from '../sensitivity/forecast.ts';
import type { BatchLoss } from '../sensitivity/losses.ts';
import type { Reference } from '../sensitivity/reference.ts';
import { encodeModelProto } from '../wire/model-proto.ts';

/**
 * @param reference of some batches, `batch` the first of them
 * @param losses one per batch of the reference
 * @param sampleRatio the samples that will be measured on, over those of the reference
 */
export async function measureMachineTimes(
  model: Model,
  batch: Batch,
  openSession: OpenSession,
  reference: Reference,
  losses: readonly BatchLoss[],
  sampleRatio: number,
): Promise<MachineTimes> {
  return {
    forwardSeconds: reference.forwardSeconds * sampleRatio,
    openSeconds: await secondsToOpen(model, batch, openSession),
    lossSeconds: secondsOfLosses(reference, losses) * sampleRatio,
  };
}

/** To make a session, and what its first run takes longer than the next. Not the first session: that starts the runtime. */
async function secondsToOpen(model: Model, { feeds }: Batch, openSession: OpenSession): Promise<number> {
  const bytes = encodeModelProto(model.proto);
  const begun = performance.now();
  const session = await openSession(bytes);
  try {
    const made = performance.now();
    await session.run(feeds);
    const ran = performance.now();
    await session.run(feeds);
    const ranAgain = performance.now();
    return (made - begun + Math.max(0, ran - made - (ranAgain - ran))) / 1000;
  } finally {
    await session.release();
  }
}

function secondsOfLosses({ outputs }: Reference, losses: readonly BatchLoss[]): number {
  const computeAll = () => losses.map((loss, index) => loss(outputs[index]!));
  // Code that runs for the first time is not compiled yet.
  computeAll();
  const begun = performance.now();
  computeAll();
  return (performance.now() - begun) / 1000;
}
