import type { Config } from '../config/config.ts';
import type { Selection } from '../dataset/open-data.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { measureSpeed, type Speed } from '../evaluate/measure-speed.ts';
import type { Measurements } from '../evaluate/measurements.ts';
import type { Model } from '../onnx/model.ts';
import type { ReportProgress } from '../progress.ts';
import type { OpenSession, Session } from '../runtime/session.ts';
import { encodeModelProto } from '../wire/model-proto.ts';

export type Evaluation = { readonly measurements: Measurements; readonly speed: Speed };

/** The user's float model and the very bytes of the artifact, both in sessions as a user would open them. */
export async function evaluateArtifact(
  original: Model,
  artifact: Uint8Array,
  { indices, batches }: Selection,
  { gate }: Config,
  { openSession, reportProgress }: { readonly openSession: OpenSession; readonly reportProgress: ReportProgress },
): Promise<Evaluation> {
  const sessions: Session[] = [];
  try {
    for (const bytes of [encodeModelProto(original.proto), artifact]) sessions.push(await openSession(bytes));
    const [floatSession, artifactSession] = [sessions[0]!, sessions[1]!];
    const measurements = await evaluate({
      floatSession,
      artifactSession,
      batches: batches(),
      sampleCount: indices.length,
      metric: gate.metric,
      ...(gate.output === undefined ? {} : { output: gate.output }),
      reportProgress,
    });
    for await (const batch of batches()) {
      return { measurements, speed: await measureSpeed(floatSession, artifactSession, batch) };
    }
    throw new Error('there were samples a moment ago');
  } finally {
    for (const session of sessions) await session.release();
  }
}
