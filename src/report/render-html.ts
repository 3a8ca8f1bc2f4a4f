/** The report as one HTML file that needs nothing else: no script, no font, no picture from anywhere. */
import type { Check } from '../gate/verdict.ts';
import { checkText, OUTCOME_WORD } from './check-text.ts';
import { countOf, listFacts, listTimings, OUTCOME_TITLE, totalSeconds, verdictSentence, widthText } from './facts.ts';
import type { GateReport, LayerReport, SelectionReport } from './gate-report.ts';
import { renderBar, renderGauge, renderScatter, renderStrip, widthColour } from './html-charts.ts';
import { htmlPage } from './html-page.ts';
import { htmlText } from './html-text.ts';
import { bytesText, countText, durationText, realText } from './number-text.ts';
import { sizeSearchTable } from './size-search.ts';

export function renderHtml(report: GateReport): string {
  const title = `bitgate: ${OUTCOME_TITLE[report.verdict]}`;
  return htmlPage(
    `${title}, ${fileName(report.model.path)}`,
    `<header>
<span class="verdict on-${report.verdict}">${OUTCOME_TITLE[report.verdict]}</span>
<h1>${htmlText(fileName(report.model.path))}</h1>
<span class="soft">${verdictSentence(report)}</span>
</header>
<section class="checks">
${report.checks.map(renderCheck).join('\n')}
</section>
${report.warnings.length === 0 ? '' : renderWarnings(report.warnings)}
${renderSizeSearch(report)}
<h2>Allocation</h2>
${renderAllocation(report.allocation)}
${report.selection === undefined ? '' : renderSelection(report.selection)}
<h2>Run</h2>
<div class="card"><dl>
${listFacts(report).map(renderFact).join('\n')}
</dl></div>
<h2>Time <span class="soft">${durationText(totalSeconds(report.timings))}</span></h2>
${renderTimings(report)}
<h2>Reproduce</h2>
<div class="card"><pre>${htmlText(report.reproduce, Number.POSITIVE_INFINITY)}</pre></div>`,
  );
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function renderCheck(check: Check): string {
  const { measured, limit, notes } = checkText(check);
  return `<div class="card check"><span class="outcome is-${check.outcome}">${OUTCOME_WORD[check.outcome]}</span>
<span class="soft">${htmlText(check.name)}</span><strong>${htmlText(measured)}</strong>
${renderGauge(check)}
${[limit, ...notes].map((note) => `<div class="soft">${htmlText(note, 200)}</div>`).join('')}</div>`;
}

function renderWarnings(warnings: readonly string[]): string {
  const items = warnings.map((warning) => `<li>${htmlText(warning, 1_000)}</li>`);
  return `<h2 class="is-warn">Warnings</h2>\n<div class="card"><ul>${items.join('\n')}</ul></div>`;
}

function renderSizeSearch(report: GateReport): string {
  const table = sizeSearchTable(report);
  if (table === undefined) return '';
  const rows = table.rows.map(
    ({ cells, chosen }) =>
      `<tr${chosen ? ' class="chosen"' : ''}>${cells.map((cell) => `<td class="number">${cell}</td>`).join('')}</tr>`,
  );
  return `<h2>${table.title}</h2>
<div class="card"><p class="soft">${table.sentence}</p>
<table>
<tr>${table.head.map((name) => `<th class="number">${name}</th>`).join('')}</tr>
${rows.join('\n')}
</table></div>`;
}

function renderAllocation(allocation: readonly LayerReport[]): string {
  const largest = Math.max(...allocation.map(({ bytes }) => bytes), 1);
  const rows = allocation.map(
    ({ layer, opType, weightCount, bits, bytes }) =>
      `<tr><td><code>${htmlText(layer)}</code></td><td class="soft">${htmlText(opType, 20)}</td><td class="number">${countText(weightCount)}</td><td class="number">${widthText(bits)}</td><td class="wide">${renderBar(bytes / largest, widthColour(bits))}</td><td class="number">${countText(bytes)}</td></tr>`,
  );
  return `<div class="card">
${renderWidths(allocation)}
${renderStrip(allocation.map(({ bits, bytes }) => ({ amount: bytes, colour: widthColour(bits) })))}
<table>
<tr><th>layer</th><th>operator</th><th class="number">weights</th><th class="number">bits</th><th></th><th class="number">bytes</th></tr>
${rows.join('\n')}
</table></div>`;
}

/** How many layers and bytes each width has. */
function renderWidths(allocation: readonly LayerReport[]): string {
  const widths = [...new Set(allocation.map(({ bits }) => bits))].sort((a, b) => a - b);
  const entries = widths.map((width) => {
    const layers = allocation.filter(({ bits }) => bits === width);
    const bytes = layers.reduce((sum, layer) => sum + layer.bytes, 0);
    const name = width >= 16 ? 'float' : `${width} bits`;
    return `<span><i style="background:${widthColour(width)}"></i>${name}: ${countOf(layers.length, 'layer')}, ${bytesText(bytes)}</span>`;
  });
  return `<div class="legend soft">${entries.join('')}</div>`;
}

function renderSelection(selection: SelectionReport): string {
  const { candidates, rankCorrelation } = selection;
  const rows = candidates.map(
    ({ name, predicted, measured, chosen }) =>
      `<tr${chosen ? ' class="chosen"' : ''}><td>${htmlText(name)}</td><td class="number">${realText(predicted)}</td><td class="number">${realText(measured)}</td><td class="soft">${chosen ? 'chosen' : ''}</td></tr>`,
  );
  const correlation =
    rankCorrelation === undefined ? '' : ` <span class="soft">rank correlation ${realText(rankCorrelation)}</span>`;
  return `<h2>Predicted against measured loss${correlation}</h2>
<div class="card">${candidates.length < 3 ? '' : renderScatter(selection)}
<table>
<tr><th>candidate</th><th class="number">predicted</th><th class="number">measured</th><th></th></tr>
${rows.join('\n')}
</table></div>`;
}

function renderFact({ label, text }: { readonly label: string; readonly text: string }): string {
  return `<dt>${label}</dt><dd>${htmlText(text, 1_000)}</dd>`;
}

function renderTimings(report: GateReport): string {
  const rows = listTimings(report).map(
    ({ stage, seconds, share }) =>
      `<tr><td>${htmlText(stage)}</td><td class="wide">${renderBar(share, 'var(--accent)')}</td><td class="number">${durationText(seconds)}</td></tr>`,
  );
  return `<div class="card"><table>\n${rows.join('\n')}\n</table></div>`;
}
