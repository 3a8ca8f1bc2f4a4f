/** Two configs of one gate, compared in what they demand: the limits of the base branch and those of a change. */
import type { SourceLocation } from '../errors.ts';
import { renderPath } from '../schema-words.ts';
import type { BudgetConfig, Config, ConstraintConfig, LimitKey, LimitName, Limits } from './config.ts';

/** One demand that differs; `base` and `head` are as a person would write them. */
export type PolicyDifference = {
  /** As it stands in the config, such as `gate.max-drop`. */
  readonly name: string;
  readonly base: string;
  readonly head: string;
  /** Whether the change demands less, or something that cannot be compared. */
  readonly isWeaker: boolean;
  readonly limitName?: LimitName;
  /** Where the change has it, if that is not where its limit stands. */
  readonly where?: SourceLocation;
};

/**
 * The config of a change, held to the budget and the limits of the base, on as many samples. Places of limits are those
 * of the change, whose files people look at.
 */
export function withPolicyOf(base: Config, head: Config): Config {
  const { sampleCount } = base.data.evaluation;
  const evaluation = { path: head.data.evaluation.path, ...(sampleCount === undefined ? {} : { sampleCount }) };
  return {
    ...head,
    budget: base.budget,
    constraints: base.constraints.map(({ location: _location, ...constraint }) => {
      const place = head.constraints.find(({ name }) => name === constraint.name)?.location;
      return place === undefined ? constraint : { ...constraint, location: place };
    }),
    data: { ...head.data, evaluation },
    gate: { ...base.gate, locations: head.gate.locations },
  };
}

/** Every demand of the gate that differs, in the order of the config. */
export function comparePolicies(base: Config, head: Config): readonly PolicyDifference[] {
  return [
    ...compareBudgets(base.budget, head.budget),
    ...compareConstraints(base.constraints, head.constraints),
    ...compareWords('gate.metric', base.gate.metric, head.gate.metric),
    ...compareWords('gate.output', base.gate.output, head.gate.output),
    ...compareLimits('', base.gate, head.gate),
    ...compareNumbers('gate.confidence', base.gate.confidence, head.gate.confidence, 'at-least'),
    ...compareWords('gate.inconclusive', base.gate.inconclusive, head.gate.inconclusive, 'fail'),
    ...compareLimits('warn.', base.gate.warn, head.gate.warn),
    ...compareSampleCounts(base.data.evaluation.sampleCount, head.data.evaluation.sampleCount),
  ];
}

/** `at-least`: a larger number demands more. */
type Bound = 'at-least' | 'at-most';

const LIMITS = [
  ['min', 'min', 'at-least'],
  ['max', 'max', 'at-most'],
  ['max-drop', 'maxDrop', 'at-most'],
  ['max-size', 'maxSizeBytes', 'at-most'],
] as const satisfies (readonly [LimitKey, keyof Limits, Bound])[];

function compareLimits(prefix: '' | 'warn.', base: Limits, head: Limits): readonly PolicyDifference[] {
  return LIMITS.flatMap(([key, field, bound]) =>
    compareNumbers(`gate.${prefix}${key}`, base[field], head[field], bound, `${prefix}${key}`),
  );
}

function compareNumbers(
  name: string,
  base: number | undefined,
  head: number | undefined,
  bound: Bound,
  limitName?: LimitName,
): readonly PolicyDifference[] {
  if (base === head) return [];
  const isWeaker = base !== undefined && (head === undefined || (bound === 'at-least' ? head < base : head > base));
  const words = { base: describe(base), head: describe(head) };
  return [{ name, ...words, isWeaker, ...(limitName === undefined ? {} : { limitName }) }];
}

/** @param strictest the word that demands most; without one, no other word can be told to demand as much */
function compareWords(
  name: string,
  base: string | undefined,
  head: string | undefined,
  strictest?: string,
): readonly PolicyDifference[] {
  if (base === head) return [];
  return [
    { name, base: describe(base), head: describe(head), isWeaker: head !== strictest || strictest === undefined },
  ];
}

function compareBudgets(base: BudgetConfig, head: BudgetConfig): readonly PolicyDifference[] {
  const [before, after] = [describeBudget(base), describeBudget(head)];
  if (before.text === after.text) return [];
  const isWeaker = base.kind !== head.kind || after.amount > before.amount;
  return [{ name: 'budget', base: before.text, head: after.text, isWeaker, limitName: 'size' }];
}

function describeBudget(budget: BudgetConfig): { readonly amount: number; readonly text: string } {
  switch (budget.kind) {
    case 'bytes':
      return { amount: budget.sizeBytes, text: `${budget.sizeBytes} bytes` };
    case 'ratio':
      return { amount: budget.ratio, text: `${budget.ratio * 100} %` };
    case 'bits-per-weight':
      return { amount: budget.bitsPerWeight, text: `${budget.bitsPerWeight} bits per weight` };
    case 'auto':
      return { amount: 0, text: 'auto' };
  }
}

/** By their names: one that is new demands more, whatever it is. */
function compareConstraints(
  base: readonly ConstraintConfig[],
  head: readonly ConstraintConfig[],
): readonly PolicyDifference[] {
  const names = new Set([...base, ...head].map(({ name }) => name));
  return [...names].flatMap((wanted) => {
    const [before, after] = [base, head].map((constraints) => constraints.find(({ name }) => name === wanted));
    const words = { base: describeConstraint(before), head: describeConstraint(after) };
    if (words.base === words.head) return [];
    const isWeaker = before !== undefined && !(after !== undefined && isStricter(after, before));
    const where = after?.location;
    return [
      { name: renderPath(['constraints', wanted]), ...words, isWeaker, ...(where === undefined ? {} : { where }) },
    ];
  });
}

/** Whether it is the same limit but for a smaller number. */
function isStricter(limit: ConstraintConfig, other: ConstraintConfig): boolean {
  const [a, b] = [amountOf(limit), amountOf(other)];
  return a.of === b.of && a.amount < b.amount;
}

/** A number, and what can be compared with it. */
function amountOf(constraint: ConstraintConfig): { readonly amount: number; readonly of: string } {
  if (constraint.kind === 'costs') {
    const { limit, unit, path } = constraint;
    return { amount: limit, of: `${unit === undefined ? '' : ` ${unit}`} by ${path}` };
  }
  const { bops } = constraint;
  return bops.kind === 'ratio'
    ? { amount: bops.ratio * 100, of: ' % of the float model' }
    : { amount: bops.count, of: ' bit operations' };
}

function describeConstraint(constraint: ConstraintConfig | undefined): string {
  if (constraint === undefined) return describe(undefined);
  const { amount, of } = amountOf(constraint);
  return `${amount}${of}`;
}

function compareSampleCounts(base = Number.POSITIVE_INFINITY, head = Number.POSITIVE_INFINITY) {
  if (base === head) return [];
  const describe = (count: number) => (Number.isFinite(count) ? String(count) : 'all');
  return [{ name: 'data.evaluation.samples', base: describe(base), head: describe(head), isWeaker: head < base }];
}

function describe(value: number | string | undefined): string {
  return value === undefined ? 'not set' : String(value);
}
