/** `bitgate pareto` as text. */
import { alignColumns } from './align-columns.ts';
import { OUTCOME_WORD } from './check-text.ts';
import type { MetricValue } from './gate-report.ts';
import { dropText, metricText } from './metric-text.ts';
import { bytesText, countText, decimalText } from './number-text.ts';
import type { ParetoPoint, ParetoReport } from './pareto-report.ts';
import { plainText } from './plain-text.ts';
import { bitsText, budgetText } from './render-solved.ts';

export const PARETO_HEAD = ['budget', 'file bytes', 'bits per weight', 'metric', 'drop', 'verdict', ''] as const;

export function renderPareto(report: ParetoReport): string {
  const { model, float, points, warnings } = report;
  const head = PARETO_HEAD.map((name) => (name === 'metric' ? float.metric : name));
  const alignment = ['left', 'right', 'right', 'right', 'right', 'left', 'left'] as const;
  const [title, ...lines] = alignColumns([head, ...points.map((point) => paretoCells(point, float.metric))], alignment);
  return [
    `${plainText(model.path)}: ${describeFloat(report)}`,
    '',
    title,
    ...lines,
    ...warnings.map((warning) => `! ${plainText(warning, 400)}`),
    '',
  ].join('\n');
}

/** `float top1 91.72 %, 1,094,321 bytes; on 846 samples`. */
export function describeFloat({ model, float: { metric, value, samples } }: ParetoReport): string {
  const accuracy = metric === 'kl' ? '' : ` ${metric} ${metricText(metric, value)},`;
  const source = samples === undefined ? '' : `; on ${countText(samples)} samples`;
  return `float${accuracy} ${bytesText(model.sizeBytes)}${source}`;
}

/** One row of the table, in text that may hold names of nothing. */
export function paretoCells(point: ParetoPoint, metric: MetricValue['metric']): readonly string[] {
  if (point.status === 'infeasible') {
    return [budgetText(point.budget), '', '', '', '', 'infeasible', reasonText(point)];
  }
  const { budget, sizeBytes, effectiveBits, value, drop, verdict, dominated } = point;
  return [
    budgetText(budget),
    countText(sizeBytes),
    decimalText(effectiveBits, 2),
    metricText(metric, value),
    dropText(metric, drop),
    OUTCOME_WORD[verdict],
    dominated ? 'dominated' : '',
  ];
}

/** For the log: `2.5 bits per weight, 45,210 bytes, top1 91.35 %`. */
export function describePointInLine(point: ParetoPoint, metric: MetricValue['metric']): string {
  const budget = budgetText(point.budget);
  if (point.status === 'infeasible') return `${budget} is infeasible, ${reasonText(point)}`;
  return `${budget}, ${bytesText(point.sizeBytes)}, ${metric} ${metricText(metric, point.value)}`;
}

function reasonText({ budget, smallest }: Extract<ParetoPoint, { status: 'infeasible' }>): string {
  if (smallest === undefined) return 'other limits leave no allocation';
  return `the smallest is ${'limitBytes' in budget ? bytesText(smallest) : bitsText(smallest)}`;
}
