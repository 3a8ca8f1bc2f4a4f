/** What sensitivities cost: the time of a sweep over the time that as many full forwards of the float model take. */
import type { Batch } from '../src/dataset/sample-set.ts';
import type { Model } from '../src/onnx/model.ts';
import { planMethod } from '../src/pipeline/choose-method.ts';
import { openOnnxruntimeSession as openSession } from '../src/runtime/onnxruntime.ts';
import type { OpenSession } from '../src/runtime/session.ts';
import { forecastSweep } from '../src/sensitivity/forecast.ts';
import type { LossName } from '../src/sensitivity/losses.ts';
import { measureSensitivities } from '../src/sensitivity/measure-sensitivities.ts';
import type { SensitivityMethod } from '../src/sensitivity/method.ts';
import { encodeModelProto } from '../src/wire/model-proto.ts';
import { printCase } from './print-case.ts';
import { MEMORY_LIMIT_BYTES, presentModels, type SharedModel } from './shared-models.ts';
import { measureInput, prepareSweepCase } from './sweep-case.ts';

type SweepCase = {
  readonly model: string;
  readonly method: SensitivityMethod;
  readonly loss: LossName;
  readonly samples: number;
  readonly batchSize: number;
};

const CASES: readonly SweepCase[] = [
  { model: 'resnet20', method: 'diagonal', loss: 'kl', samples: 512, batchSize: 64 },
  { model: 'resnet20', method: 'pairwise', loss: 'kl', samples: 512, batchSize: 64 },
  { model: 'resnet32', method: 'diagonal', loss: 'kl', samples: 512, batchSize: 64 },
  { model: 'mobilenet', method: 'diagonal', loss: 'kl', samples: 64, batchSize: 16 },
  { model: 'ultraface', method: 'diagonal', loss: 'mse', samples: 24, batchSize: 1 },
];

export async function benchSweep(): Promise<void> {
  for (const sweepCase of CASES) {
    const [model] = presentModels(sweepCase.model);
    if (model !== undefined) printCase(await measureCase(model, sweepCase));
  }
}

async function measureCase(shared: SharedModel, { model: name, method, loss, samples, batchSize }: SweepCase) {
  const prepared = await prepareSweepCase(shared, { loss, samples, batchSize });
  const { model, batches, candidates, costs, times } = prepared;
  const pace = await openPace(model, batches);
  const sensitivities = await measureSensitivities({
    ...measureInput(prepared),
    openSession: pace.openSession,
    method,
  });
  const { secondsPerForward, seconds: paceSeconds } = await pace.finish();
  const seconds = sensitivities.seconds - paceSeconds;
  const measured = method === 'diagonal' ? sensitivities.singleCount : sensitivities.pairCount;
  const plan = planMethod({ model, candidates, costs, memoryLimitBytes: MEMORY_LIMIT_BYTES }, method);
  const forecast = forecastSweep(plan.costs, { ...times, forwardSeconds: secondsPerForward });
  return {
    bench: 'sweep',
    model: name,
    method,
    samples,
    measured,
    secondsPerForward,
    seconds,
    forwardEquivalents: sensitivities.forwardEquivalents,
    ratio: seconds / (measured * secondsPerForward),
    forecastRatio: forecast.seconds / seconds,
    forecastMegabytes: forecast.memoryBytes / 1e6,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  };
}

/**
 * The float model's forward, timed at every session that the sweep opens, because the machine's speed drifts; what that takes
 * is told apart.
 */
async function openPace(model: Model, batches: readonly Batch[]) {
  const session = await openSession(encodeModelProto(model.proto));
  await session.run(batches[0]!.feeds);
  let [forwards, seconds, sweptSeconds] = [0, 0, 0];
  const forward = async () => {
    const begun = performance.now();
    for (const { feeds } of batches) await session.run(feeds);
    forwards += 1;
    seconds += (performance.now() - begun) / 1000;
  };
  const open: OpenSession = async (bytes, options) => {
    await forward();
    sweptSeconds = seconds;
    return openSession(bytes, options);
  };
  const finish = async () => {
    await forward();
    await session.release();
    return { secondsPerForward: seconds / forwards, seconds: sweptSeconds };
  };
  return { openSession: open, finish };
}
