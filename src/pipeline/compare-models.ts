/** Two models of the user side by side: whether they can be compared, and what the metric says of both. */
import type { Metric } from '../config/config.ts';
import type { Selection } from '../dataset/open-data.ts';
import { UserError } from '../errors.ts';
import { measureSpeed } from '../evaluate/measure-speed.ts';
import type { Model } from '../onnx/model.ts';
import { type ModelInput, modelInputs } from '../onnx/model-inputs.ts';
import type { NamedTensors } from '../tensor.ts';
import type { AnswerInput } from './answer-budget.ts';
import { type Evaluation, evaluateSessions, firstOf, withSessions } from './evaluate-artifact.ts';
import { openUserModel, runUserModel } from './user-model.ts';

/** @throws UserError if they do not take the same samples */
export function assertSameInputs(float: Model, other: Model): void {
  const [expected, found] = [float, other].map((model) => modelInputs(model).map(describeInput).sort().join(', '));
  if (expected === found) return;
  throw differing(other, `its inputs are ${found}, and those of the float model ${expected}`);
}

function describeInput({ name, elementType, dims }: ModelInput): string {
  return `'${name}' ${elementType} [${dims.map((dim) => dim ?? 'free').join(', ')}]`;
}

/** @throws UserError if one of them cannot be run, or they do not give the same outputs */
export function compareOnSamples(
  models: readonly [Model, Model],
  evaluation: Selection,
  gate: { readonly metric: Exclude<Metric, 'command'>; readonly output: string | undefined },
  effects: Pick<AnswerInput['effects'], 'openSession' | 'reportProgress'>,
): Promise<Evaluation> {
  const [float, other] = models;
  const open = (model: Model) => openUserModel(model, effects.openSession);
  return withSessions(models, open, async (...pair) => {
    const batch = await firstOf(evaluation.batches());
    const expected = await runUserModel(pair[0], float, batch.feeds, 'evaluation');
    assertSameOutputs(other, expected, await runUserModel(pair[1], other, batch.feeds, 'evaluation'));
    const measurements = await evaluateSessions(pair, evaluation, gate, effects);
    return { measurements, speed: await measureSpeed(...pair, batch) };
  });
}

function assertSameOutputs(other: Model, expected: NamedTensors, found: NamedTensors): void {
  for (const [name, { dims }] of Object.entries(expected)) {
    const own = Object.hasOwn(found, name) ? found[name]!.dims : undefined;
    if (own === undefined) throw differing(other, `it has no output '${name}', which the float model has`);
    if (own.join() === dims.join()) continue;
    throw differing(
      other,
      `its output '${name}' is [${own.join(', ')}], and that of the float model [${dims.join(', ')}]`,
    );
  }
}

function differing({ path }: Model, what: string): UserError {
  const fix = 'evaluate a model with the inputs and outputs of the float model that the config names';
  return new UserError({ what, where: path, fix });
}
