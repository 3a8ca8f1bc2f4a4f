/** The measuring of branch graphs over the calibration batches: what every sensitivity is made of. */
import type { Batch } from '../dataset/sample-set.ts';
import type { Model } from '../onnx/model.ts';
import type { OpenSession } from '../runtime/session.ts';
import type { NamedTensors } from '../tensor.ts';
import type { NodeProto } from '../wire/model-proto.ts';
import { branchGraph, type Perturbation } from './branch-graph.ts';
import { type LayerCosts, totalOperations } from './layer-costs.ts';
import type { BatchLoss } from './losses.ts';

export type SweepInput = {
  readonly model: Model;
  readonly batches: readonly Batch[];
  /** One per batch. */
  readonly losses: readonly BatchLoss[];
  readonly openSession: OpenSession;
  /** Ends a sweep between two batches. */
  readonly signal?: AbortSignal;
};

export type PerturbedLosses = {
  /** Losses of the base's samples, shape [sampleCount]; absent unless asked for. */
  readonly base: Float64Array | undefined;
  /** Losses of each branch's samples, shape [branchCount][sampleCount]. */
  readonly branches: readonly Float64Array[];
  /** Layers' work done, in units of one forward of the whole network over all batches. */
  readonly forwardEquivalents: number;
};

/**
 * Run a base and branches over it over all batches. The session lives no longer than the call; where the memory that it
 * was estimated to take is not there, two with half of the branches each come in its place.
 */
export async function measurePerturbed(
  input: SweepInput,
  base: Perturbation,
  branches: readonly Perturbation[],
  costs: LayerCosts,
  measuresBase: boolean,
): Promise<PerturbedLosses> {
  try {
    return await measureTogether(input, base, branches, costs, measuresBase);
  } catch (error) {
    if (branches.length < 2 || !isOutOfMemory(error)) throw error;
  }
  const middle = branches.length >> 1;
  const first = await measurePerturbed(input, base, branches.slice(0, middle), costs, measuresBase);
  const second = await measurePerturbed(input, base, branches.slice(middle), costs, false);
  return {
    base: first.base,
    branches: [...first.branches, ...second.branches],
    forwardEquivalents: first.forwardEquivalents + second.forwardEquivalents,
  };
}

/** How onnxruntime words it: the standard library's allocator, its own arena (bfc_arena.cc), CUDA and WebGPU. */
const OUT_OF_MEMORY = /bad.?alloc|failed to allocate memory|is smaller than requested bytes|out of memory/i;

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && OUT_OF_MEMORY.test(error.message);
}

async function measureTogether(
  { model, batches, losses, openSession, signal }: SweepInput,
  base: Perturbation,
  branches: readonly Perturbation[],
  costs: LayerCosts,
  measuresBase: boolean,
): Promise<PerturbedLosses> {
  const graph = branchGraph(model, base, branches, { withBaseOutputs: measuresBase });
  const families = [...(measuresBase ? [graph.baseOutputs] : []), ...graph.branchOutputs];
  const session = await openSession(graph.bytes);
  try {
    const measured = families.map((): Float64Array[] => []);
    for (const [index, { feeds }] of batches.entries()) {
      signal?.throwIfAborted();
      const results: NamedTensors = await session.run(feeds);
      for (const [family, names] of families.entries()) {
        measured[family]!.push(losses[index]!(names.map((name) => results[name]!)));
      }
    }
    const joined = measured.map(concatenate);
    return {
      base: measuresBase ? joined[0] : undefined,
      branches: measuresBase ? joined.slice(1) : joined,
      forwardEquivalents: workOf(graph.computedNodes, costs),
    };
  } finally {
    await session.release();
  }
}

function workOf(nodes: readonly NodeProto[], costs: LayerCosts): number {
  return nodes.reduce((sum, node) => sum + (costs.get(node)?.operations ?? 0), 0) / totalOperations(costs);
}

function concatenate(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** The mean of samples' losses. */
export function meanOf(losses: Float64Array): number {
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
