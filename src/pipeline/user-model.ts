/** A model as it stands in the user's file, in the runtime: what that refuses, the user can repair. */
import { UnsupportedModelError } from '../errors.ts';
import type { Model } from '../onnx/model.ts';
import type { OpenSession, Session } from '../runtime/session.ts';
import type { NamedTensors } from '../tensor.ts';
import { encodeModelProto } from '../wire/model-proto.ts';

/** @throws UnsupportedModelError if the runtime cannot load it */
export async function openUserModel(model: Model, openSession: OpenSession): Promise<Session> {
  return openSession(encodeModelProto(model.proto)).catch((cause) => {
    const fix = 'export it with operators that onnxruntime has, and with shapes that fit together';
    throw refusal(model, 'cannot load the model', fix, cause);
  });
}

/**
 * @param role of the samples: `calibration`
 * @throws UnsupportedModelError if the runtime cannot run it on them
 */
export async function runUserModel(
  session: Session,
  model: Model,
  feeds: NamedTensors,
  role: string,
): Promise<NamedTensors> {
  return session.run(feeds).catch((cause) => {
    const what = `cannot run the model on the ${role} samples`;
    throw refusal(model, what, 'check that the model takes such samples', cause);
  });
}

function refusal({ path }: Model, what: string, fix: string, cause: unknown): UnsupportedModelError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new UnsupportedModelError({ what: `onnxruntime ${what}: ${reason}`, where: path, fix }, { cause });
}
