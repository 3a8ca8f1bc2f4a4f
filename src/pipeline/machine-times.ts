/** How fast this machine is with the float model, for forecasts. */
import type { Batch } from '../dataset/sample-set.ts';
import type { Model } from '../onnx/model.ts';
import type { OpenSession } from '../runtime/session.ts';
import type { MachineTimes } from '../sensitivity/forecast.ts';
import type { BatchLoss } from '../sensitivity/losses.ts';
import { type Reference, WARM_UP_RUNS } from '../sensitivity/reference.ts';
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
    ...(await timeSessions(model, batch, openSession)),
    lossSeconds: secondsOfLosses(reference, losses) * sampleRatio,
  };
}

/** Sessions that are made to see how long it takes, and the time they may take together. */
const MOST_SESSIONS = 3;
const ENOUGH_MILLISECONDS = 2_000;

type SessionTimes = Pick<MachineTimes, 'openSeconds' | 'warmUpSeconds'>;

/** The shortest times, because the first session also starts the runtime, and every one may be held up by other programs. */
async function timeSessions(model: Model, batch: Batch, openSession: OpenSession): Promise<SessionTimes> {
  const begun = performance.now();
  let shortest = await timeSession(model, batch, openSession);
  for (let count = 1; count < MOST_SESSIONS && performance.now() - begun < ENOUGH_MILLISECONDS; count++) {
    const { openSeconds, warmUpSeconds } = await timeSession(model, batch, openSession);
    shortest = {
      openSeconds: Math.min(shortest.openSeconds, openSeconds),
      warmUpSeconds: Math.min(shortest.warmUpSeconds, warmUpSeconds),
    };
  }
  return shortest;
}

async function timeSession(model: Model, { feeds }: Batch, openSession: OpenSession): Promise<SessionTimes> {
  const begun = performance.now();
  const session = await openSession(encodeModelProto(model.proto));
  const openSeconds = secondsSince(begun);
  try {
    const begunCold = performance.now();
    for (let count = 0; count < WARM_UP_RUNS; count++) await session.run(feeds);
    const coldSeconds = secondsSince(begunCold);
    const begunWarm = performance.now();
    await session.run(feeds);
    return { openSeconds, warmUpSeconds: Math.max(0, coldSeconds - WARM_UP_RUNS * secondsSince(begunWarm)) };
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
  return secondsSince(begun);
}

function secondsSince(begun: number): number {
  return (performance.now() - begun) / 1000;
}
