/** Whether a run may be believed before it measures: the forecast over the time that the sweep then takes, in one process. */
import { planMethod } from '../src/pipeline/choose-method.ts';
import { forecastSweep } from '../src/sensitivity/forecast.ts';
import { measureSensitivities } from '../src/sensitivity/measure-sensitivities.ts';
import type { SensitivityMethod } from '../src/sensitivity/method.ts';
import { printCase } from './print-case.ts';
import { MEMORY_LIMIT_BYTES, presentModels } from './shared-models.ts';
import { measureInput, type PreparedCase, prepareSweepCase } from './sweep-case.ts';

type ForecastCase = {
  readonly model: string;
  readonly samples: number;
  readonly batchSize: number;
  readonly methods: readonly SensitivityMethod[];
};

const CASES: readonly ForecastCase[] = [
  { model: 'resnet20', samples: 256, batchSize: 64, methods: ['diagonal', 'block', 'pairwise'] },
  { model: 'resnet32', samples: 256, batchSize: 64, methods: ['diagonal', 'block'] },
  { model: 'mobilenet', samples: 64, batchSize: 16, methods: ['diagonal', 'block'] },
];

/** `npm run bench -- forecast [model …]`. */
export async function benchForecast(): Promise<void> {
  const names = process.argv.slice(3);
  for (const { model: name, methods, ...data } of CASES) {
    const [shared] = presentModels(name);
    if (shared === undefined || (names.length > 0 && !names.includes(name))) continue;
    for (const method of methods) {
      // Each forecast from a timing of its own: a run makes one and no more.
      const prepared = await prepareSweepCase(shared, { loss: 'kl', ...data });
      printCase({ bench: 'forecast', model: name, ...data, ...(await measureCase(prepared, method)) });
    }
  }
}

async function measureCase(prepared: PreparedCase, method: SensitivityMethod) {
  const plan = planMethod({ ...prepared, memoryLimitBytes: MEMORY_LIMIT_BYTES }, method);
  const forecast = forecastSweep(plan.costs, prepared.times);
  const { seconds, forwardEquivalents } = await measureSensitivities({ ...measureInput(prepared), method });
  return {
    method,
    sessions: plan.units.length,
    forecastForwards: forecast.forwardEquivalents,
    forwards: forwardEquivalents,
    forecastSeconds: forecast.seconds,
    seconds,
    ratio: forecast.seconds / seconds,
  };
}
