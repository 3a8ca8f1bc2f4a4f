/** Upgrades that left-over budget allows, by what they are expected to gain. */
import type { Variables } from './measured-allocations.ts';

/** The loss that is expected of an allocation, up to a constant. */
export type Expectation = (variables: Variables) => number;

type UpgradesOf = (variables: Variables) => readonly Variables[];

/** The upgrades that are expected to gain, the most first. */
export function gainingUpgrades(variables: Variables, upgradesOf: UpgradesOf, expected: Expectation): Variables[] {
  const now = expected(variables);
  return upgradesOf(variables)
    .map((upgraded) => ({ upgraded, loss: expected(upgraded) }))
    .filter(({ loss }) => loss < now)
    .sort((a, b) => a.loss - b.loss)
    .map(({ upgraded }) => upgraded);
}

/** One upgrade after the other, each the one that is expected to gain most, until none is left that fits. */
export function fillUp(variables: Variables, upgradesOf: UpgradesOf, expected: Expectation): Variables {
  const [next] = gainingUpgrades(variables, upgradesOf, expected);
  return next === undefined ? variables : fillUp(next, upgradesOf, expected);
}
