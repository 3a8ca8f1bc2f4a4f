/** `pareto.html`: the picture and its table, in one file. */
import { countOf } from './facts.ts';
import { htmlPage } from './html-page.ts';
import { htmlText } from './html-text.ts';
import { durationText } from './number-text.ts';
import { renderParetoChart } from './pareto-chart.ts';
import type { ParetoPoint, ParetoReport } from './pareto-report.ts';
import { describeFloat, PARETO_HEAD, paretoCells } from './render-pareto.ts';
import { budgetText } from './render-solved.ts';

export function renderParetoHtml(report: ParetoReport): string {
  const { model, float, points, budget, warnings, timings } = report;
  const name = model.path.slice(model.path.lastIndexOf('/') + 1);
  const seconds = Object.values(timings).reduce((sum, each) => sum + each, 0);
  const own = budget === undefined ? '' : `; the budget of the config is ${budgetText(budget)}`;
  const hasChart = points.some((point) => point.status === 'measured' && Number.isFinite(point.value));
  return htmlPage(
    `bitgate: accuracy against size, ${name}`,
    `<header><h1>${htmlText(name)}</h1>
<span class="soft">${float.metric} against size, ${countOf(points.length, 'budget')}, ${durationText(seconds)}</span></header>
<div class="card">${hasChart ? renderParetoChart(report) : ''}
<div class="legend soft"><span>${describeFloat(report)}${own}</span></div>
<div class="legend soft"><span>filled: nothing measured is smaller and better</span><span>hollow: dominated</span><span>colour: the verdict of the gate</span></div>
<table>
<tr>${PARETO_HEAD.map((head, column) => `<th${classOf(column)}>${head === 'metric' ? float.metric : head}</th>`).join('')}</tr>
${points.map((point) => renderRow(point, float.metric)).join('\n')}
</table></div>
${warnings.length === 0 ? '' : `<h2 class="is-warn">Warnings</h2><div class="card"><ul>${warnings.map((warning) => `<li>${htmlText(warning, 1_000)}</li>`).join('')}</ul></div>`}`,
  );
}

function renderRow(point: ParetoPoint, metric: ParetoReport['float']['metric']): string {
  const cells = paretoCells(point, metric).map((cell, column) => `<td${classOf(column)}>${htmlText(cell)}</td>`);
  return `<tr>${cells.join('')}</tr>`;
}

/** Numbers stand to the right. */
function classOf(column: number): string {
  return column >= 1 && column <= 4 ? ' class="number"' : '';
}
