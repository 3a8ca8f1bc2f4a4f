/** Two configs of one gate, compared in what they demand: the limits of the base branch and those of a change. */
import type { SourceLocation } from '../errors.ts';
import { renderPath } from '../schema-words.ts';
import type {
  BudgetConfig,
  Config,
  ConstraintConfig,
  DataConfig,
  DataSourceConfig,
  EvaluateConfig,
  LimitKey,
  LimitName,
  Limits,
} from './config.ts';

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
 * The config of a change, held to the budget and the limits of the base, by the command of the base or on as many samples.
 * Places of limits are those of the change, whose files people look at.
 */
export function withPolicyOf(base: Config, head: Config): Config {
  const { evaluate: _own, ...rest } = head;
  return {
    ...rest,
    budget: isMoot(base, head) ? head.budget : base.budget,
    constraints: base.constraints.map(({ location: _location, ...constraint }) => {
      const place = head.constraints.find(({ name }) => name === constraint.name)?.location;
      return place === undefined ? constraint : { ...constraint, location: place };
    }),
    data: withEvaluationOf(base.data, head.data),
    gate: { ...base.gate, locations: head.gate.locations },
    ...(base.evaluate && { evaluate: withPlaceOf(base.evaluate, head.evaluate) }),
  };
}

/** Where the base's metric reads evaluation samples, those of the change, as many; its own where a change names none. */
function withEvaluationOf(base: DataConfig, { evaluation: own, ...head }: DataConfig): DataConfig {
  if (base.evaluation === undefined) return head;
  const { path, sampleCount } = base.evaluation;
  return {
    ...head,
    evaluation: { path: own?.path ?? path, ...(sampleCount === undefined ? {} : { sampleCount }) },
  };
}

/** A time limit is no demand: a command that ends too early fails the build. */
function withPlaceOf(base: EvaluateConfig, head: EvaluateConfig | undefined): EvaluateConfig {
  if (head === undefined) return base;
  const { location, timeLimitSeconds } = head;
  return { ...base, location, timeLimitSeconds };
}

/** A base without a budget demands none, and one whose budget is auto none of widths that are given. */
function isMoot(base: Config, { quantize }: Config): boolean {
  return base.budget.kind === 'none' || (base.budget.kind === 'auto' && quantize.allocationPath !== undefined);
}

/** Every demand of the gate that differs, in the order of the config. */
export function comparePolicies(base: Config, head: Config): readonly PolicyDifference[] {
  return [
    ...(isMoot(base, head) ? [] : compareBudgets(base.budget, head.budget)),
    ...compareConstraints(base.constraints, head.constraints),
    ...compareWords('gate.metric', base.gate.metric, head.gate.metric),
    ...compareWords('gate.output', base.gate.output, head.gate.output),
    ...compareLimits('', base.gate, head.gate),
    ...compareNumbers('gate.confidence', base.gate.confidence, head.gate.confidence, 'at-least'),
    ...compareWords('gate.inconclusive', base.gate.inconclusive, head.gate.inconclusive, 'fail'),
    ...compareLimits('warn.', base.gate.warn, head.gate.warn),
    ...compareWords('evaluate.command', describeCommand(base.evaluate), describeCommand(head.evaluate)),
    ...compareWords('evaluate.better', base.evaluate?.better, head.evaluate?.better),
    ...compareSampleCounts(base.data.evaluation, head.data.evaluation),
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
    case 'none':
      return { amount: Number.POSITIVE_INFINITY, text: 'not set' };
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

function describeCommand(evaluate: EvaluateConfig | undefined): string | undefined {
  return evaluate && JSON.stringify(evaluate.command);
}

/** Where one of the two has no samples, its metric is another, and that is said. */
function compareSampleCounts(base: DataSourceConfig | undefined, head: DataSourceConfig | undefined) {
  if (base === undefined || head === undefined || base.sampleCount === head.sampleCount) return [];
  const amount = ({ sampleCount = Number.POSITIVE_INFINITY }: DataSourceConfig) => sampleCount;
  const describe = ({ sampleCount }: DataSourceConfig) => String(sampleCount ?? 'all');
  const isWeaker = amount(head) < amount(base);
  return [{ name: 'data.evaluation.samples', base: describe(base), head: describe(head), isWeaker }];
}

function describe(value: number | string | undefined): string {
  return value === undefined ? 'not set' : String(value);
}
