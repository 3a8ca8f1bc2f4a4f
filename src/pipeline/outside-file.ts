/** What a file from elsewhere says of the model: read within a limit, and refused where it is of another model. */
import { createHash } from 'node:crypto';
import type { Files } from '../entry/files.ts';
import { UserError } from '../errors.ts';
import type { Model } from '../onnx/model.ts';
import type { FileIdentity } from '../report/gate-report.ts';

export type OutsideFile = { readonly text: string; readonly identity: FileIdentity };

/** Half a million pairs of layers. */
const MAX_FILE_BYTES = 64 * 2 ** 20;

export async function readOutsideFile(path: string, files: Pick<Files, 'readFile'>): Promise<OutsideFile> {
  const bytes = await files.readFile(path, MAX_FILE_BYTES);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { text: new TextDecoder().decode(bytes), identity: { path, sizeBytes: bytes.length, sha256 } };
}

/**
 * @param claimed the SHA-256 of the model that the file is for, where it says so
 * @throws UserError if that is another model
 */
export function assertIsOfModel(claimed: string | undefined, model: Model, where: string): void {
  if (claimed === undefined || claimed === model.fileSha256) return;
  throw new UserError({
    what: `the file is of another model: ${model.path} has the SHA-256 ${model.fileSha256}, and the file is for ${claimed}`,
    where,
    fix: 'make the file anew for this model',
  });
}
