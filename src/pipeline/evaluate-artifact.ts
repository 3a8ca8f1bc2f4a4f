import type { Config } from '../config/config.ts';
import type { Selection } from '../dataset/open-data.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import type { Measurements } from '../evaluate/measurements.ts';
import type { Model } from '../onnx/model.ts';
import type { ReportProgress } from '../progress.ts';
import type { OpenSession, Session } from '../runtime/session.ts';
import { encodeModelProto } from '../wire/model-proto.ts';

/** The user's float model and the very bytes of the artifact, both in sessions as a user would open them. */
export async function evaluateArtifact(
  original: Model,
  artifact: Uint8Array,
  { indices, batches }: Selection,
  { gate }: Config,
  { openSession, reportProgress }: { readonly openSession: OpenSession; readonly reportProgress: ReportProgress },
): Promise<Measurements> {
  const sessions: Session[] = [];
  try {
    for (const bytes of [encodeModelProto(original.proto), artifact]) sessions.push(await openSession(bytes));
    return await evaluate({
      floatSession: sessions[0]!,
      artifactSession: sessions[1]!,
      batches: batches(),
      sampleCount: indices.length,
      metric: gate.metric,
      ...(gate.output === undefined ? {} : { output: gate.output }),
      reportProgress,
    });
  } finally {
    for (const session of sessions) await session.release();
  }
}
