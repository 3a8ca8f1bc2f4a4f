import { type Problem, UserError } from '../errors.ts';
import type { BudgetConfig } from './config.ts';
import { parseSize } from './overrides.ts';

/** A plain number up to this is bits per weight: no weight has more, and no model so few bytes. */
const MAX_BITS_PER_WEIGHT = 32;

/**
 * Budgets as `--budgets` takes them: `2.5,3,120KB,25%`.
 *
 * @throws UserError with every item that is none
 */
export function parseBudgetList(text: string): BudgetConfig[] {
  const items = text.split(',').map((item) => item.trim());
  const budgets = items.map((item) => parseBudget(item));
  const problems = items.flatMap((item, index) => (budgets[index] === undefined ? [describe(item)] : []));
  if (problems.length > 0) throw new UserError(problems);
  return budgets as BudgetConfig[];
}

function parseBudget(item: string): BudgetConfig | undefined {
  const bits = /^[0-9]*\.?[0-9]+$/.test(item) ? Number(item) : Number.NaN;
  if (bits > 0 && bits <= MAX_BITS_PER_WEIGHT) return { kind: 'bits-per-weight', bitsPerWeight: bits };
  const budget = parseSize(item);
  return budget?.kind === 'auto' ? undefined : budget;
}

function describe(item: string): Problem {
  const found = item === '' ? 'an empty item' : `"${item}"`;
  return {
    what: `--budgets has ${found}, expected bits per weight such as 3.5, or a size such as "120KB" or "25%"`,
    fix: 'separate budgets by commas: --budgets 2.5,3,120KB',
  };
}
