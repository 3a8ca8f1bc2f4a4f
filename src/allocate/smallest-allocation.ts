/** The least that any allocation takes of the budget: found before the model runs, so that a hopeless run never starts. */
import { type Problem, type SourceLocation, UserError } from '../errors.ts';
import {
  type AllocationProblem,
  type Choice,
  type ChosenVariables,
  candidateCounts,
  variablesWhere,
} from './allocation-problem.ts';
import { jointChoices } from './joint-choices.ts';
import { variablesByWidths } from './width-subsets.ts';

/** Smallest amount of the budget's resource over all allocations: bytes of the file, or bits of all weights. */
export function smallestUse(problem: AllocationProblem): number {
  const { budget, choices } = problem;
  if (budget.kind === 'file-bytes')
    return Math.min(...variablesByWidths(problem).map((usable) => smallestFile(problem, usable)));
  return smallestSum(problem, (variable) => weightBitsOf(choices[variable]!));
}

/** The least sum over all layers, whatever else it takes. */
export function smallestSum(problem: AllocationProblem, costOf: (variable: number) => number): number {
  const all = variablesWhere(problem, () => true);
  return sumOf(cheapest(problem, all, costOf), costOf);
}

/** Bytes of the smallest file that uses no other variables; each layer has one among them. */
export function smallestFile(problem: AllocationProblem, usable: readonly number[]): number {
  const partBytes = (variable: number) => problem.choices[variable]!.partBytes;
  const chosen = cheapest(problem, usable, partBytes);
  return problem.fileBytes(sumOf(chosen, partBytes), chosen);
}

/** Bytes that no artifact exceeds. */
export function largestFile({ choices, layerNames, fileBytes }: Pick<AllocationProblem, FileParts>): number {
  const largest = layerNames.map((_, layer) =>
    Math.max(...choices.filter(({ layerIndex }) => layerIndex === layer).map(({ partBytes }) => partBytes)),
  );
  return fileBytes(
    largest.reduce((sum, bytes) => sum + bytes, 0),
    [...choices.keys()],
  );
}

type FileParts = 'choices' | 'layerNames' | 'fileBytes';

type CostOf = (variable: number) => number;

/** The usable choice of least cost of every layer, tied layers together. */
function cheapest(problem: AllocationProblem, usable: readonly number[], costOf: CostOf): ChosenVariables {
  const sets = jointChoices(problem, usable);
  if (sets === undefined) throw new RangeError('a layer has no usable choice');
  return sets.flatMap((choices) => choices.reduce((a, b) => (sumOf(b, costOf) < sumOf(a, costOf) ? b : a)));
}

function sumOf(variables: ChosenVariables, costOf: CostOf): number {
  return variables.reduce((sum, variable) => sum + costOf(variable), 0);
}

/**
 * @param where the place of the budget in the config, if it comes from there
 * @throws UserError naming the smallest feasible budget
 */
export function assertFeasible(problem: AllocationProblem, where?: SourceLocation): void {
  const shortage = findShortage(problem);
  if (shortage === undefined) return;
  throw new UserError({ ...shortage, ...(where === undefined ? {} : { where }) });
}

/** Why no allocation fits the budget; undefined when one does. */
export function findShortage(problem: AllocationProblem): Problem | undefined {
  const smallest = smallestUse(problem);
  return smallest <= problem.budget.limit ? undefined : describeShortage(problem, smallest);
}

function describeShortage(problem: AllocationProblem, smallest: number): Problem {
  const { budget, choices, layerNames } = problem;
  const words = (bits: number) => bitsPerWeight(problem, bits);
  if (choices.length === layerNames.length) {
    const amount = (use: number) => (budget.kind === 'file-bytes' ? `${use} bytes` : `${words(use)} bits per weight`);
    const what = `the artifact takes ${amount(smallest)}, more than the budget of ${amount(budget.limit)}`;
    return { what, fix: 'raise the budget, or give layers smaller widths: the width of each is fixed' };
  }
  if (budget.kind === 'file-bytes') {
    const excess = describeFixedExcess(problem, (variable) => choices[variable]!.partBytes, budget.limit);
    return {
      what: `no allocation fits the budget of ${budget.limit} bytes; the smallest artifact has ${smallest} bytes${excess}`,
      fix: `raise the budget to ${smallest} bytes or more, or offer smaller bit-widths under quantize.bits`,
    };
  }
  return {
    what: `no allocation fits the budget of ${words(budget.limit)} bits per weight; the smallest has ${words(smallest)}`,
    fix: 'raise the budget, offer smaller bit-widths under quantize.bits, or pin fewer layers',
  };
}

/** Words on a layer that has one width only, and alone takes more than the limit; none if there is no such layer. */
export function describeFixedExcess(
  problem: AllocationProblem,
  costOf: (variable: number) => number,
  limit: number,
): string {
  const { choices, layerNames } = problem;
  const counts = candidateCounts(problem);
  const excess = [...choices.keys()].find((v) => counts[choices[v]!.layerIndex] === 1 && costOf(v) > limit);
  if (excess === undefined) return '';
  const { layerIndex, bitWidth } = choices[excess]!;
  const width = bitWidth <= 8 ? `at ${bitWidth} bits` : 'in float';
  return `; layer '${layerNames[layerIndex]}' alone takes ${costOf(excess)} ${width}, its only width`;
}

/** Weights of all layers together. */
export function totalWeights({ choices, layerNames }: Pick<AllocationProblem, 'choices' | 'layerNames'>): number {
  const counts = new Array<number>(layerNames.length).fill(0);
  for (const { layerIndex, weightCount } of choices) counts[layerIndex] = weightCount;
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Mean bits per weight of an allocation. */
export function effectiveBits(problem: AllocationProblem, variables: ChosenVariables): number {
  const bits = variables.reduce((sum, variable) => sum + weightBitsOf(problem.choices[variable]!), 0);
  return bits / totalWeights(problem);
}

/** Bits of a layer's weights in the file. */
export function weightBitsOf({ storedBits, weightCount }: Choice): number {
  return storedBits * weightCount;
}

/** Mean bits per weight in up to four decimals, rounded up so that the number named is itself enough. */
export function bitsPerWeight(problem: AllocationProblem, weightBits: number): number {
  return Math.ceil((weightBits / totalWeights(problem)) * 10_000 - 1e-6) / 10_000;
}
