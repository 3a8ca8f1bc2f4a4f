/** What the runtime makes of a model: the operators that it runs after its optimisations. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { decodeModelProto } from '../../src/wire/model-proto.ts';

/** Sorted, one entry per node. */
export async function optimisedOperators(model: Uint8Array): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bitgate-optimised-'));
  try {
    const optimizedModelFilePath = join(folder, 'optimised.onnx');
    const session = await InferenceSession.create(model, { optimizedModelFilePath, logSeverityLevel: 3 });
    await session.release();
    const { graph } = decodeModelProto(new Uint8Array(readFileSync(optimizedModelFilePath)));
    return graph!.node.map(({ opType }) => opType ?? '').sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
