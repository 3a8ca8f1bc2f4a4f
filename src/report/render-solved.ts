/** `bitgate solve` as text: one table of layers per budget, and what is predicted of it. */
import { alignColumns } from './align-columns.ts';
import { describeUse, widthText } from './facts.ts';
import type { BudgetReport } from './gate-report.ts';
import { bytesText, countText, durationText, percentText, realText } from './number-text.ts';
import { plainText } from './plain-text.ts';
import type { SolvedBudget, SolvedReport } from './solved-report.ts';

export function renderSolved(report: SolvedReport): string {
  const { answers } = report;
  return `${[describeOrigin(report), ...answers.map(renderAnswer)].join('\n\n')}\n`;
}

function describeOrigin({ model, method, source, loss, samples }: SolvedReport): string {
  const origin =
    source === undefined
      ? `that are kept, ${loss} on ${countText(samples)} samples`
      : `from ${plainText(source.path)}, ${plainText(loss)}`;
  return `${plainText(model)}: ${method} sensitivities ${origin}; nothing was measured`;
}

function renderAnswer(answer: SolvedBudget): string {
  const title = `budget ${budgetText(answer.budget)}`;
  if (answer.status === 'infeasible') {
    const { smallest } = answer;
    if (smallest === undefined) return `${title}: other limits leave no allocation`;
    return `${title}: no allocation fits, the smallest has ${'limitBytes' in answer.budget ? bytesText(smallest) : bitsText(smallest)}`;
  }
  const { sizeBytes, effectiveBits, constraints = [], status, objective, relativeGap, seconds, allocation } = answer;
  const proof = status === 'optimal' ? 'proven optimal' : `at most ${percentText(relativeGap)} from optimal`;
  const rows = allocation.map(({ layer, bits, bytes }) => [plainText(layer), widthText(bits), countText(bytes)]);
  return [
    title,
    ...alignColumns([['layer', 'bits', 'bytes'], ...rows], ['left', 'right', 'right']).map((line) => `  ${line}`),
    ...constraints.map((constraint) => plainText(describeUse(constraint), 200)),
    `file ${bytesText(sizeBytes)}, ${bitsText(effectiveBits)}; predicted loss ${realText(objective)}, ${proof}, in ${durationText(seconds)}`,
  ].join('\n');
}

/** `45,000 bytes`, or `3 bits per weight`. */
export function budgetText(budget: BudgetReport): string {
  return 'limitBytes' in budget ? bytesText(budget.limitBytes) : bitsText(budget.limitBitsPerWeight);
}

export function bitsText(bits: number): string {
  return `${realText(bits, 5)} bits per weight`;
}
