/** The float model over the calibration samples: what every quantized one is compared with, if it runs and gives numbers. */
import type { Batch } from '../dataset/sample-set.ts';
import { UserError } from '../errors.ts';
import type { Model } from '../onnx/model.ts';
import type { OpenSession } from '../runtime/session.ts';
import { measureReference, type Reference } from '../sensitivity/reference.ts';
import { explainNonFinite, isNotFinite } from './find-non-finite.ts';
import type { LoadedModel } from './read-model.ts';
import { openUserModel, runUserModel } from './user-model.ts';

/**
 * @throws UnsupportedModelError if the runtime cannot load or run the model as it stands in the file
 * @throws UserError naming the node where an output is NaN or infinite
 */
export async function runFloatModel(
  loaded: LoadedModel,
  batches: readonly Batch[],
  openSession: OpenSession,
): Promise<Reference> {
  return explainingFailure(loaded, batches, openSession, async () => {
    const reference = await measureReference(loaded.model, batches, openSession);
    await assertFinite(loaded, batches, reference, openSession);
    return reference;
  });
}

/**
 * Run the float model in some way, or something built around it.
 *
 * @throws UnsupportedModelError if that fails, and so does the model as it stands in the file
 */
export async function explainingFailure<Result>(
  loaded: LoadedModel,
  batches: readonly Batch[],
  openSession: OpenSession,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    // Where the file's own model runs, it is not the model that is at fault.
    if (!(cause instanceof UserError)) await assertRuns(loaded.original, batches, openSession);
    throw cause;
  }
}

async function assertRuns(original: Model, batches: readonly Batch[], openSession: OpenSession): Promise<void> {
  const session = await openUserModel(original, openSession);
  try {
    for (const { feeds } of batches) await runUserModel(session, original, feeds, 'calibration');
  } finally {
    await session.release();
  }
}

async function assertFinite(
  { model, layers }: LoadedModel,
  batches: readonly Batch[],
  { outputs, outputNames }: Reference,
  openSession: OpenSession,
): Promise<void> {
  for (const [batch, tensors] of outputs.entries()) {
    const broken = tensors.findIndex(isNotFinite);
    if (broken < 0) continue;
    const name = outputNames[broken]!;
    const reason = await explainNonFinite(model, layers, batches[batch]!, name, openSession);
    throw new UserError({
      what: `the float model's output '${name}' is NaN or infinite on the calibration data: ${reason}`,
      where: model.path,
      fix: 'check the model and the preprocessing (scale, mean, std)',
    });
  }
}
