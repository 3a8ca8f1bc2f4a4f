/** Small problems whose allocations can all be listed. */
import type { AllocationProblem, ChosenVariables } from '../../src/allocate/allocation-problem.ts';

/**
 * Layers of 8, 16, 8, 16 … weights at 2, 4 and 8 bits: a byte for every 4, 2 or 1 of them, 100 bytes of file, and 10 for each
 * width in use.
 */
export function sizedProblem(
  layerCount: number,
  limit: number,
  ties: AllocationProblem['ties'] = [],
  constraints: AllocationProblem['constraints'] = [],
): AllocationProblem {
  const choices = Array.from({ length: layerCount }, (_, layerIndex) =>
    [2, 4, 8].map((bitWidth) => {
      const weightCount = layerIndex % 2 === 0 ? 8 : 16;
      const partBytes = (bitWidth * weightCount) / 8;
      return { layerIndex, bitWidth, weightCount, storedBits: bitWidth, partBytes, sharedPart: `Decode${bitWidth}` };
    }),
  ).flat();
  return {
    choices,
    layerNames: Array.from({ length: layerCount }, (_, layer) => `layer${layer}`),
    budget: { kind: 'file-bytes', limit },
    ties,
    constraints,
    fileBytes: (partBytes, usable) => 100 + partBytes + 10 * new Set(usable.map((v) => choices[v]!.sharedPart)).size,
  };
}

/** Every allocation that gives tied layers one width, fitting or not. */
export function allocationsOf({ layerNames, ties }: AllocationProblem): ChosenVariables[] {
  const all = layerNames.reduce<number[][]>(
    (found, _, layer) => found.flatMap((variables) => [0, 1, 2].map((choice) => [...variables, 3 * layer + choice])),
    [[]],
  );
  return all.filter((variables) =>
    ties.every((layers) => new Set(layers.map((layer) => variables[layer]! % 3)).size === 1),
  );
}

/** Positive semi-definite, as G is after its projection, falling with the bits on the whole. */
export function randomQuadratic(count: number, random: () => number): Float64Array {
  const factors = Array.from({ length: count }, (_, variable) => {
    const scale = [1, 0.3, 0.1][variable % 3]!;
    return Array.from({ length: 4 }, () => scale * (2 * random() - 1));
  });
  const product = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, index) => sum + value * b[index]!, 0);
  return Float64Array.from(factors.flatMap((a) => factors.map((b) => product(a, b))));
}
