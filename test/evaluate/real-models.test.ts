import { afterAll, describe, expect, it } from 'vitest';
import { loadBatches, loadPrepared, presentModels, type SharedModel } from '../../bench/shared-models.ts';
import { nodeFiles } from '../../src/entry/files.ts';
import { evaluate } from '../../src/evaluate/evaluate.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import type { Session } from '../../src/runtime/session.ts';
import { streamOf } from './fake-session.ts';

const sessions: Session[] = [];
afterAll(() => Promise.all(sessions.map((session) => session.release())));

async function open({ path }: SharedModel): Promise<Session> {
  const session = await openOnnxruntimeSession(await nodeFiles.readFile(path));
  sessions.push(session);
  return session;
}

async function evaluationOf(model: SharedModel, options: { count?: number; batchSize: number }) {
  return loadBatches(await loadPrepared(model), model.evaluation, model.preprocess, options);
}

const [resnet20, resnet32] = presentModels('resnet20', 'resnet32');

describe.skipIf(resnet20 === undefined || resnet32 === undefined)('evaluate, ResNet-20 and ResNet-32', () => {
  it('evaluate: both accuracies, and the table that holds them, over a batch size that does not divide', async () => {
    const batches = await evaluationOf(resnet20!, { batchSize: 200 });
    const measured = await evaluate({
      floatSession: await open(resnet32!),
      artifactSession: await open(resnet20!),
      batches: streamOf(batches),
      sampleCount: 846,
      metric: 'top1',
      reportProgress: () => {},
    });
    expect(measured.sampleCount).toBe(846);
    expect(measured.float).toBeCloseTo(0.93, 2);
    expect(measured.quantized).toBeCloseTo(0.917, 3);
    const { both, onlyFloat, onlyArtifact, neither } = measured.pairedCounts!;
    expect(both + onlyFloat + onlyArtifact + neither).toBe(846);
    expect(measured.drop).toBeCloseTo(measured.float - measured.quantized, 12);
    expect(measured.klToFloat).toBeGreaterThan(0);
  });
});

const [ultraface] = presentModels('ultraface');

describe.skipIf(ultraface === undefined)('evaluate, UltraFace', () => {
  it('evaluate: kl reads the scores of a detector and not its boxes, and is nothing against itself', async () => {
    const session = await open(ultraface!);
    const measured = await evaluate({
      floatSession: session,
      artifactSession: session,
      batches: streamOf(await evaluationOf(ultraface!, { count: 2, batchSize: 1 })),
      sampleCount: 2,
      metric: 'kl',
      reportProgress: () => {},
    });
    expect(measured).toMatchObject({ outputNames: ['scores'], quantized: 0, agreement: 1, nonFiniteCount: 0 });
  });
});
