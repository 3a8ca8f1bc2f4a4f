/** Any ONNX model beside the float model of a config, on its evaluation samples. The story of `bitgate evaluate`. */
import type { Config } from './config/config.ts';
import { openSelection } from './dataset/open-data.ts';
import { decide } from './gate/decide.ts';
import type { Model } from './onnx/model.ts';
import { modelInputs } from './onnx/model-inputs.ts';
import { describeMeasurements } from './pipeline/build-report.ts';
import { assertSameInputs, compareOnSamples } from './pipeline/compare-models.ts';
import type { Evaluation } from './pipeline/evaluate-artifact.ts';
import { compareByCommand, measureFloatByCommand } from './pipeline/metric-command.ts';
import { readOriginal } from './pipeline/read-model.ts';
import type { Effects } from './pipeline.ts';
import type { EvaluationReport } from './report/evaluation-report.ts';
import type { FileIdentity } from './report/gate-report.ts';

/**
 * Nothing is written.
 *
 * @throws UserError if one of the models cannot be run, or the two differ in their inputs or outputs
 */
export async function evaluateModel(
  config: Config,
  modelPath: string,
  effects: Effects,
): Promise<Omit<EvaluationReport, 'environment'>> {
  const float = await readOriginal(config.modelPath, effects.files);
  const model = await readOriginal(modelPath, effects.files);
  assertSameInputs(float, model);

  const { measurements, speed } = await compare(float, model, config, effects);
  const { gate, seed } = config;
  const artifactSizeBytes = model.contentSizeBytes;
  const verdict = decide(measurements, { gate, artifactSizeBytes, seed, ...fileBudget(config, float) });
  return {
    schemaVersion: 1,
    ...verdict,
    model: identify(float),
    artifact: identify(model),
    ...describeMeasurements(measurements),
    ...(speed === undefined ? {} : { speed }),
  };
}

/** By the command of the config, or on its samples, which alone tell of the speed. */
async function compare(
  float: Model,
  model: Model,
  config: Config,
  effects: Effects,
): Promise<Pick<Evaluation, 'measurements'> & Partial<Evaluation>> {
  const { gate, evaluate, data, seed } = config;
  if (gate.metric === 'command') {
    const result = await measureFloatByCommand(config, effects);
    const other = { name: 'the model', path: model.path };
    return { measurements: await compareByCommand(result!, other, { ...config, evaluate: evaluate! }, effects) };
  }
  const { metric, output } = gate;
  const inputs = modelInputs(float);
  const evaluation = await openSelection(data.evaluation!, data.preprocess, inputs, seed, effects.files);
  return compareOnSamples([float, model], evaluation, { metric, output }, effects);
}

/** Where it is in bytes: how many bits there are per weight, a file does not tell. */
function fileBudget({ budget }: Config, { contentSizeBytes }: Model) {
  switch (budget.kind) {
    case 'bytes':
      return { budget: { kind: 'file-bytes', limit: budget.sizeBytes } } as const;
    case 'ratio':
      return { budget: { kind: 'file-bytes', limit: Math.floor(budget.ratio * contentSizeBytes) } } as const;
    default:
      return {};
  }
}

function identify({ path, contentSizeBytes, fileSha256 }: Model): FileIdentity {
  return { path, sizeBytes: contentSizeBytes, sha256: fileSha256 };
}
