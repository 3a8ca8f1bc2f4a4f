import type { Assignment, QuadraticProgram } from './quadratic-program.ts';
import { variableOffsets } from './variables.ts';

/** A choice of several groups at once: one variable of each, numbered over the whole program. */
export type JointChoice = readonly number[];

/**
 * **From** a program, and for every set of groups that is decided together the choices that are left to it.
 * **To** a program with one group per set and one variable per joint choice a, where
 *
 *     G'(a, b) = Σ_{u ∈ a, v ∈ b} G(u, v)        cost'(a) = Σ_{u ∈ a} cost(u)
 *
 * **Holds because** a joint choice sets all its variables to one and the other variables of their groups to zero. With one
 * group per set this drops variables; with several it ties them.
 *
 * @param sets shape [setCount][choiceCount], covering every group of the program once
 */
export function joinGroups(
  program: QuadraticProgram,
  sets: readonly (readonly JointChoice[])[],
): { program: QuadraticProgram; restore: (assignment: Assignment) => Assignment } {
  const offsets = variableOffsets(program.groupSizes);
  const count = offsets.at(-1)!;
  const choices = sets.flat();
  const entry = (a: JointChoice, b: JointChoice) =>
    a.reduce((sum, u) => b.reduce((partial, v) => partial + program.quadratic[u * count + v]!, sum), 0);
  const quadratic = Float64Array.from(choices.flatMap((a) => choices.map((b) => entry(a, b))));
  const constraints = program.constraints.map(({ name, costs, limit }) => ({
    name,
    limit,
    costs: Float64Array.from(choices, (choice) => choice.reduce((sum, variable) => sum + costs[variable]!, 0)),
  }));
  return {
    program: { groupSizes: sets.map(({ length }) => length), quadratic, constraints },
    restore: (assignment) => restoreAssignment(assignment, sets, offsets),
  };
}

function restoreAssignment(
  assignment: Assignment,
  sets: readonly (readonly JointChoice[])[],
  offsets: Int32Array,
): Assignment {
  const variables = assignment.flatMap((choice, set) => [...sets[set]![choice]!]).sort((a, b) => a - b);
  return variables.map((variable, group) => variable - offsets[group]!);
}
