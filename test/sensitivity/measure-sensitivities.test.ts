import { describe, expect, it } from 'vitest';
import type { Measurement } from '../../src/cache/measurement-record.ts';
import type { Batch } from '../../src/dataset/sample-set.ts';
import { listLayers } from '../../src/onnx/list-layers.ts';
import { replaceInitializers } from '../../src/onnx/model.ts';
import type { ProgressEvent } from '../../src/progress.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import { estimateUnits, forecastSweep } from '../../src/sensitivity/forecast.ts';
import { measureLayerCosts } from '../../src/sensitivity/layer-costs.ts';
import { createLosses } from '../../src/sensitivity/losses.ts';
import { type MeasureInput, measureSensitivities, planUnits } from '../../src/sensitivity/measure-sensitivities.ts';
import type { UnitStore } from '../../src/sensitivity/measure-units.ts';
import { measureReference } from '../../src/sensitivity/reference.ts';
import { encodeModelProto, newOutput } from '../../src/wire/model-proto.ts';
import { decodeBuilt, floatInput, node, runModel, value, weight } from '../onnx/small-model.ts';
import { roundedCandidates } from './rounded-candidates.ts';

/** Three layers, the first two added: a residual block and a classifier over it. */
async function smallInput(overrides: Partial<MeasureInput> = {}): Promise<MeasureInput> {
  const model = await decodeBuilt({
    nodes: [
      node('MatMul', ['x', 'w1'], ['a']),
      node('Relu', ['a'], ['r']),
      node('MatMul', ['r', 'w2'], ['b']),
      node('Add', ['b', 'r'], ['s']),
      node('MatMul', ['s', 'w3'], ['y']),
    ],
    inputs: [value('x', ['batch', 6])],
    outputs: [newOutput('y')],
    initializers: [weight('w1', [6, 8], 1), weight('w2', [8, 8], 2), weight('w3', [8, 4], 3)],
  });
  const layers = listLayers(model);
  const candidates = await roundedCandidates(model, layers, [
    [2, 4],
    [2, 'float'],
    [2, 4],
  ]);
  const batches: Batch[] = [21, 22].map((seed) => ({ feeds: { x: floatInput([5, 6], seed) }, sampleCount: 5 }));
  const reference = await measureReference(model, batches, openOnnxruntimeSession);
  return {
    model,
    candidates,
    batches,
    losses: createLosses('kl', batches, reference.outputs, reference.outputNames),
    costs: await measureLayerCosts(model, layers, batches[0]!, openOnnxruntimeSession),
    openSession: openOnnxruntimeSession,
    method: 'pairwise',
    lossName: 'kl',
    memoryLimitBytes: 1e9,
    store: memoryStore(),
    signal: new AbortController().signal,
    reportProgress: () => {},
    ...overrides,
  };
}

function memoryStore(): UnitStore & { readonly kept: Map<string, Measurement> } {
  const kept = new Map<string, Measurement>();
  return {
    kept,
    find: (unit) => kept.get(unit),
    keep: async (measurement) => void kept.set(measurement.unit, measurement),
  };
}

/** The mean loss with these variables' weights in a model of its own. */
async function lossOfModel({ model, candidates, batches, losses }: MeasureInput, variables: number[]): Promise<number> {
  const perturbation = new Map(variables.flatMap((variable) => [...candidates[variable]!.perturbation]));
  const bytes = encodeModelProto(replaceInitializers(model, perturbation).proto);
  let sum = 0;
  for (const [index, { feeds }] of batches.entries()) {
    const { y } = await runModel(bytes, feeds);
    for (const loss of losses[index]!([y!])) sum += loss;
  }
  return sum / 10;
}

describe('measureSensitivities', () => {
  it('gives the losses of separately built models, alone and in pairs', async () => {
    const input = await smallInput();
    const { singles, pairs, singleCount, pairCount } = await measureSensitivities(input);
    const count = input.candidates.length;
    expect([count, singleCount, pairCount]).toEqual([6, 5, 8]);
    for (let first = 0; first < count; first++) {
      expect(singles[first]).toBeCloseTo(await lossOfModel(input, [first]), 6);
      for (let second = 0; second < first; second++) {
        const loss = pairs![first * count + second]!;
        expect(pairs![second * count + first]).toBe(loss);
        const [a, b] = [input.candidates[first]!, input.candidates[second]!];
        const isMeasured = a.layerIndex !== b.layerIndex && a.content !== 'float' && b.content !== 'float';
        if (isMeasured) expect(loss).toBeCloseTo(await lossOfModel(input, [first, second]), 6);
        else expect(loss).toBeNaN();
      }
    }
  });

  it('measures the same alone as in pairs', async () => {
    const diagonal = await measureSensitivities(await smallInput({ method: 'diagonal' }));
    const pairwise = await measureSensitivities(await smallInput());
    expect(diagonal.pairs).toBeUndefined();
    for (const [variable, loss] of diagonal.singles.entries()) expect(loss).toBeCloseTo(pairwise.singles[variable]!, 9);
  });

  it('gives the same whether a session holds all branches or one', async () => {
    const together = await measureSensitivities(await smallInput());
    const apart = await measureSensitivities(await smallInput({ memoryLimitBytes: 1 }));
    for (const [index, loss] of together.pairs!.entries()) {
      if (Number.isNaN(loss)) expect(apart.pairs![index]).toBeNaN();
      else expect(apart.pairs![index]).toBeCloseTo(loss, 9);
    }
  });

  it('leaves a layer in float at no loss', async () => {
    const { singles } = await measureSensitivities(await smallInput());
    expect(singles[3]).toBe(0);
  });

  it('runs nothing for units that the store holds, and gives the same', async () => {
    const store = memoryStore();
    const first = await measureSensitivities(await smallInput({ store }));
    const openSession = async () => {
      throw new Error('a session was opened');
    };
    const again = await measureSensitivities({ ...(await smallInput({ store })), openSession });
    expect(again.singles).toEqual(first.singles);
    expect(again.pairs).toEqual(first.pairs);
    expect(first.forwardEquivalents).toBeGreaterThan(1);
    expect(again.forwardEquivalents).toBe(first.forwardEquivalents);
  });

  it('ends between two units when it is told to, and goes on from there', async () => {
    const [store, controller] = [memoryStore(), new AbortController()];
    const reportProgress = ({ done }: ProgressEvent) => {
      if (done > 0) controller.abort(new Error('interrupted'));
    };
    const input = await smallInput({ store, signal: controller.signal, reportProgress });
    await expect(measureSensitivities(input)).rejects.toThrow('interrupted');
    expect(store.kept.size).toBe(1);
    const resumed = await measureSensitivities(await smallInput({ store }));
    expect(resumed.pairs).toEqual((await measureSensitivities(await smallInput())).pairs);
  });

  it('ends between two batches of a unit too, which is then lost', async () => {
    const [store, controller] = [memoryStore(), new AbortController()];
    let runs = 0;
    const openSession: MeasureInput['openSession'] = async (model) => {
      const session = await openOnnxruntimeSession(model);
      const run: typeof session.run = async (...feeds) => {
        runs += 1;
        if (runs === 3) controller.abort(new Error('interrupted'));
        return session.run(...feeds);
      };
      return { ...session, run };
    };
    const input = await smallInput({ store, signal: controller.signal });
    await expect(measureSensitivities({ ...input, openSession })).rejects.toThrow('interrupted');
    expect([runs, store.kept.size]).toEqual([3, 1]);
  });

  it('halves the branches of a session that finds no memory, and gives the same', async () => {
    const sizes: number[] = [];
    const openSession: MeasureInput['openSession'] = async (model) => {
      const session = await openOnnxruntimeSession(model);
      sizes.push(session.outputNames.length);
      if (session.outputNames.length < 3) return session;
      await session.release();
      throw new Error('Failed to allocate memory for requested buffer of size 12345');
    };
    const whole = await measureSensitivities(await smallInput());
    const halved = await measureSensitivities({ ...(await smallInput()), openSession });
    expect(halved.singles).toEqual(whole.singles);
    expect(halved.pairs).toEqual(whole.pairs);
    expect(Math.max(...sizes)).toBeGreaterThan(2);
    expect(halved.forwardEquivalents).toBeGreaterThan(whole.forwardEquivalents);
  });

  it('does not hide another failure of a session', async () => {
    const openSession = async () => {
      throw new Error('no kernel for Foo');
    };
    await expect(measureSensitivities({ ...(await smallInput()), openSession })).rejects.toThrow('no kernel for Foo');
  });

  it('tells how far it is, from nothing to all', async () => {
    const events: ProgressEvent[] = [];
    await measureSensitivities(await smallInput({ reportProgress: (event) => void events.push(event) }));
    expect(events[0]).toMatchObject({ activity: 'measuring layers and pairs', done: 0, total: 13 });
    expect(events.at(-1)).toMatchObject({ done: 13, total: 13 });
  });
});

describe('estimateUnits, forecastSweep', () => {
  it.each(['diagonal', 'pairwise'] as const)('are at least what %s does, and not twice as much', async (method) => {
    const input = await smallInput({ method });
    const { forwardEquivalents, singleCount, pairCount } = await measureSensitivities(input);
    const times = { forwardSeconds: 0, openSeconds: 0, warmUpSeconds: 0, lossSeconds: 0 };
    const forecast = forecastSweep(estimateUnits(input, planUnits(input)), times);
    expect(forecast.perturbations).toBe(singleCount + pairCount);
    expect(forecast.forwardEquivalents).toBeGreaterThanOrEqual(forwardEquivalents - 1e-9);
    expect(forecast.forwardEquivalents).toBeLessThan(2 * forwardEquivalents);
  });

  it('forecastSweep: forwards, sessions by size and number, and losses take their time; the largest session its memory', () => {
    const units = [
      { perturbations: 3, forwardEquivalents: 2, sessionSize: 2.5, memoryBytes: 10 },
      { perturbations: 1, forwardEquivalents: 1, sessionSize: 1, memoryBytes: 30 },
    ];
    expect(forecastSweep(units, { forwardSeconds: 1000, openSeconds: 100, warmUpSeconds: 10, lossSeconds: 1 })).toEqual(
      {
        perturbations: 4,
        forwardEquivalents: 3,
        seconds: 3 * 1000 + 3.5 * 100 + 2 * 3 * 10 + 4 * 1,
        memoryBytes: 30,
      },
    );
    expect(forecastSweep([], { forwardSeconds: 1, openSeconds: 1, warmUpSeconds: 1, lossSeconds: 1 })).toMatchObject({
      seconds: 0,
      memoryBytes: 0,
    });
  });

  it('estimateUnits: a smaller session is one with less memory', async () => {
    const input = await smallInput();
    const [whole, parts] = [1e9, 1].map((memoryLimitBytes) =>
      estimateUnits(input, planUnits({ ...input, memoryLimitBytes })),
    );
    expect(parts!.length).toBeGreaterThan(whole!.length);
    const largest = (units: typeof whole) => Math.max(...units!.map(({ memoryBytes }) => memoryBytes));
    expect(largest(parts)).toBeLessThan(largest(whole));
  });
});
