import type { Metric } from '../config/config.ts';
import type { Selection } from '../dataset/open-data.ts';
import type { Batch } from '../dataset/sample-set.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { measureSpeed, type Speed } from '../evaluate/measure-speed.ts';
import type { Measurements } from '../evaluate/measurements.ts';
import type { Session } from '../runtime/session.ts';
import { encodeModelProto } from '../wire/model-proto.ts';
import type { AnswerInput } from './answer-budget.ts';
import { compareByCommand } from './metric-command.ts';

export type Evaluation = { readonly measurements: Measurements; readonly speed: Speed };

/** The very bytes of an artifact, and whether the output holds them by now. */
export type ArtifactFile = { readonly content: Uint8Array; readonly isWritten: boolean };

/** The user's float model and the artifact, both as a user would open them. */
export async function evaluateArtifact(
  input: Pick<AnswerInput, 'config' | 'run' | 'floatResult' | 'effects'>,
  artifact: ArtifactFile,
): Promise<Evaluation> {
  const { config, run, effects } = input;
  const open = (bytes: Uint8Array) => effects.openSession(bytes);
  const encode = () => [encodeModelProto(run.original.proto), artifact.content] as const;
  if (config.gate.metric === 'command') {
    // Before sessions of the same models take their memory.
    const measurements = await evaluateByCommand(input, artifact);
    const speed = await withSessions(encode(), open, (...pair) => measureSpeed(...pair, run.batches[0]!));
    return { measurements, speed };
  }
  const { metric, output } = config.gate;
  const evaluation = run.data.evaluation!;
  return withSessions(encode(), open, async (...pair) => ({
    measurements: await evaluateSessions(pair, evaluation, { metric, output }, effects),
    speed: await measureSpeed(...pair, await firstOf(evaluation.batches())),
  }));
}

function evaluateByCommand(
  { config, floatResult, effects }: Pick<AnswerInput, 'config' | 'floatResult' | 'effects'>,
  { content, isWritten }: ArtifactFile,
): Promise<Measurements> {
  const { outputPath: path, evaluate: command } = config;
  const place = isWritten ? { path } : { content, besidePath: path };
  const model = { name: 'the quantized model', ...place };
  return compareByCommand(floatResult!, model, { ...config, evaluate: command! }, effects);
}

/** @param gate which metric of which output */
export function evaluateSessions(
  [floatSession, artifactSession]: readonly [Session, Session],
  { indices, batches }: Selection,
  { metric, output }: { readonly metric: Exclude<Metric, 'command'>; readonly output: string | undefined },
  { reportProgress }: Pick<AnswerInput['effects'], 'reportProgress'>,
): Promise<Measurements> {
  return evaluate({
    floatSession,
    artifactSession,
    batches: batches(),
    sampleCount: indices.length,
    metric,
    ...(output === undefined ? {} : { output }),
    reportProgress,
  });
}

export async function firstOf(batches: AsyncIterable<Batch>): Promise<Batch> {
  for await (const batch of batches) return batch;
  throw new Error('there were samples a moment ago');
}

/** Sessions of both, open while `use` takes. */
export async function withSessions<Source, Result>(
  models: readonly [Source, Source],
  open: (model: Source) => Promise<Session>,
  use: (float: Session, artifact: Session) => Promise<Result>,
): Promise<Result> {
  const sessions: Session[] = [];
  try {
    for (const model of models) sessions.push(await open(model));
    return await use(sessions[0]!, sessions[1]!);
  } finally {
    for (const session of sessions) await session.release();
  }
}
