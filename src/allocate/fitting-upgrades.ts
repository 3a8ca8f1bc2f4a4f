/** What left-over budget can be spent on. */
import { roundedLimit } from '../program/evaluate-assignment.ts';
import { type AllocationProblem, type ChosenVariables, variablesWhere } from './allocation-problem.ts';
import { jointChoices } from './joint-choices.ts';
import { weightBitsOf } from './smallest-allocation.ts';

/** Every allocation that gives one layer, or one tie, more bits, and keeps the budget and all further limits exactly. */
export function fittingUpgrades(problem: AllocationProblem, variables: ChosenVariables): ChosenVariables[] {
  const sets = jointChoices(
    problem,
    variablesWhere(problem, () => true),
  )!;
  return sets
    .flatMap((choices) => choices.filter((choice) => isWider(problem, choice, variables)))
    .map((choice) => replaced(problem, variables, choice))
    .filter((upgraded) => keepsLimits(problem, upgraded));
}

/** Whether an allocation keeps the budget, with the bytes of the very file that it would make, and all further limits. */
export function keepsLimits(problem: AllocationProblem, variables: ChosenVariables): boolean {
  const { budget, choices, constraints } = problem;
  const sumOf = (costOf: (variable: number) => number) => variables.reduce((sum, v) => sum + costOf(v), 0);
  const used =
    budget.kind === 'weight-bits'
      ? sumOf((variable) => weightBitsOf(choices[variable]!))
      : problem.fileBytes(
          sumOf((variable) => choices[variable]!.partBytes),
          variables,
        );
  if (used > budget.limit) return false;
  return constraints.every((constraint) => sumOf((v) => constraint.costs[v]!) <= roundedLimit(constraint));
}

function isWider({ choices }: AllocationProblem, choice: readonly number[], variables: ChosenVariables): boolean {
  const { layerIndex, bitWidth } = choices[choice[0]!]!;
  return bitWidth > choices[variables[layerIndex]!]!.bitWidth;
}

function replaced({ choices }: AllocationProblem, variables: ChosenVariables, choice: readonly number[]) {
  const upgraded = [...variables];
  for (const variable of choice) upgraded[choices[variable]!.layerIndex] = variable;
  return upgraded;
}
