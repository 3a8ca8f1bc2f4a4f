/** How the variables of a program are numbered: group by group, candidate by candidate. */
import type { Assignment, QuadraticProgram } from './quadratic-program.ts';

/** First variable of each group, and the number of variables at the end, shape [groupCount + 1]. */
export function variableOffsets(groupSizes: readonly number[]): Int32Array {
  const offsets = new Int32Array(groupSizes.length + 1);
  groupSizes.forEach((size, group) => {
    offsets[group + 1] = offsets[group]! + size;
  });
  return offsets;
}

/** The variable that each group takes, counted over the whole program, shape [groupCount]. */
export function chosenVariables(program: QuadraticProgram, assignment: Assignment): Int32Array {
  const offsets = variableOffsets(program.groupSizes);
  return Int32Array.from(program.groupSizes, (size, group) => {
    const choice = assignment[group];
    if (choice === undefined || !Number.isInteger(choice) || choice < 0 || choice >= size) {
      throw new RangeError(`group ${group} has ${size} variables, but the assignment takes ${choice}`);
    }
    return offsets[group]! + choice;
  });
}

/** The inverse of `chosenVariables`: each variable counted inside its group, shape [groupCount]. */
export function assignmentOf(program: QuadraticProgram, variables: ArrayLike<number>): Assignment {
  const offsets = variableOffsets(program.groupSizes);
  return Array.from(variables, (variable, group) => variable - offsets[group]!);
}
