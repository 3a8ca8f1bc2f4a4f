/** How much is measured at once, by an estimate of the memory that it takes. */
import { elementCount } from '../tensor.ts';
import type { UnfoldRequest } from './unfold.ts';

/** One node whose input is measured. */
export type MeasuredNode = UnfoldRequest & { readonly layerIndex: number };

export type CalibrationPlan = {
  /** Samples that a session is fed at once; undefined where the model fixes how many. */
  readonly runSize: number | undefined;
  /** Sets of nodes that are measured in one session; all nodes of a layer are in the same one. */
  readonly groups: readonly (readonly MeasuredNode[])[];
};

const BYTES_PER_FLOAT = 4;
/** The unfolded input itself, with its positions of all samples side by side, and as the product reads it; `slideRows` takes less. */
const UNFOLDED_COPIES = 3;
/** A product in the runtime, in its result, and its sum in float64. */
const BYTES_PER_PRODUCT = 16;
/** More at once is no faster: what a run takes then has to come from the operating system, page by page. */
const LARGEST_RUN_BYTES = 64e6;

/**
 * @param probedCount samples that the shapes were measured with
 * @param batchSize samples of a batch; undefined where a session takes whole batches only
 */
export function planCalibration(
  nodes: readonly MeasuredNode[],
  probedCount: number,
  batchSize: number | undefined,
  memoryLimitBytes: number,
): CalibrationPlan {
  // Half for the samples that flow through, half for the sums that stay.
  const share = memoryLimitBytes / 2;
  const runBytes = Math.min(share, LARGEST_RUN_BYTES);
  const mostSamples = Math.max(1, Math.floor(runBytes / runBytesPerSample(nodes, probedCount)));
  return {
    runSize: batchSize === undefined ? undefined : Math.min(batchSize, mostSamples),
    groups: groupNodes(nodes, share),
  };
}

/** Every layer's input may be alive at once, and one of them is being unfolded. */
function runBytesPerSample(nodes: readonly MeasuredNode[], probedCount: number): number {
  const inputs = nodes.reduce((sum, { inputDims }) => sum + elementCount(inputDims), 0);
  const largest = nodes.reduce((most, node) => Math.max(most, unfoldedCount(node)), 0);
  return (BYTES_PER_FLOAT * (inputs + UNFOLDED_COPIES * largest)) / probedCount;
}

/** Every position of the output is a product with one column of the unfolded input. */
function unfoldedCount({ layout, outputDims }: MeasuredNode): number {
  return elementCount(outputDims) * (layout.inputCount / layout.outputCount);
}

/** As many neighbouring layers together as their sums allow, but one at least. */
function groupNodes(nodes: readonly MeasuredNode[], limitBytes: number): MeasuredNode[][] {
  const groups: MeasuredNode[][] = [];
  let bytes = 0;
  for (const node of nodes) {
    const { groupCount, inputCount } = node.layout;
    bytes += groupCount * inputCount ** 2 * BYTES_PER_PRODUCT;
    const group = groups.at(-1);
    const isSameLayer = group?.at(-1)?.layerIndex === node.layerIndex;
    if (group !== undefined && (isSameLayer || bytes <= limitBytes)) group.push(node);
    else {
      groups.push([node]);
      bytes = groupCount * inputCount ** 2 * BYTES_PER_PRODUCT;
    }
  }
  return groups;
}
