import type { QuadraticProgram } from './quadratic-program.ts';
import { variableOffsets } from './variables.ts';

/**
 * The smallest left-hand side that some assignment reaches, for every constraint taken alone: Σ over the groups of the
 * least cost.
 *
 * @returns shape [constraintCount]; a limit below its entry cannot be met by any assignment
 */
export function smallestLimits(program: QuadraticProgram): readonly number[] {
  const offsets = variableOffsets(program.groupSizes);
  return program.constraints.map(({ costs }) =>
    program.groupSizes.reduce(
      (sum, _, group) => sum + Math.min(...costs.subarray(offsets[group]!, offsets[group + 1]!)),
      0,
    ),
  );
}
