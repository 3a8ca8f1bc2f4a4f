/** How fast the artifact runs beside the float model. */
import type { Batch } from '../dataset/sample-set.ts';
import type { Session } from '../runtime/session.ts';

export type Speed = {
  readonly floatSeconds: number;
  readonly artifactSeconds: number;
  /** Samples of one run. */
  readonly batchSize: number;
};

const ROUNDS = 7;
const ENOUGH_MILLISECONDS = 2_000;

/**
 * The fastest of several runs of each on one batch, taken in turn: what else the machine does slows runs, and hits both alike.
 */
export async function measureSpeed(float: Session, artifact: Session, { feeds }: Batch): Promise<Speed> {
  const fastest = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const begun = performance.now();
  for (let round = 0; round < ROUNDS && (round < 2 || performance.now() - begun < ENOUGH_MILLISECONDS); round++) {
    for (const [index, session] of [float, artifact].entries()) {
      const start = performance.now();
      await session.run(feeds);
      fastest[index] = Math.min(fastest[index]!, (performance.now() - start) / 1000);
    }
  }
  const batchSize = Object.values(feeds)[0]?.dims[0] ?? 1;
  return { floatSeconds: fastest[0]!, artifactSeconds: fastest[1]!, batchSize };
}
