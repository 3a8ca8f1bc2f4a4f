import type { Assignment, QuadraticProgram } from './quadratic-program.ts';
import { variableOffsets } from './variables.ts';

/**
 * **From** a program and some of its variables, at least one of every group.
 * **To** the same program over these variables alone.
 * **Holds because** a variable that may not be chosen is zero, and a zero adds nothing to objective and constraints.
 *
 * @param isKept by variable
 * @returns undefined if a group keeps no variable
 */
export function restrictProgram(
  program: QuadraticProgram,
  isKept: (variable: number) => boolean,
): { program: QuadraticProgram; restore: (assignment: Assignment) => Assignment } | undefined {
  const offsets = variableOffsets(program.groupSizes);
  const kept = program.groupSizes.map((size, group) =>
    Array.from({ length: size }, (_, choice) => choice).filter((choice) => isKept(offsets[group]! + choice)),
  );
  if (kept.some((choices) => choices.length === 0)) return undefined;
  const variables = kept.flatMap((choices, group) => choices.map((choice) => offsets[group]! + choice));
  const count = offsets.at(-1)!;
  const quadratic = Float64Array.from(
    variables.flatMap((row) => variables.map((c) => program.quadratic[row * count + c]!)),
  );
  const constraints = program.constraints.map(({ name, costs, limit }) => ({
    name,
    limit,
    costs: Float64Array.from(variables, (variable) => costs[variable]!),
  }));
  return {
    program: { groupSizes: kept.map(({ length }) => length), quadratic, constraints },
    restore: (assignment) => assignment.map((choice, group) => kept[group]![choice]!),
  };
}
