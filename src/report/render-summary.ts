/**
 * The report as markdown for the page of a workflow run. The runner drops a summary of more than 1 MiB whole
 * (actions/runner, FileCommandManager.cs), so every list has a limit, and the layers a budget of bytes.
 */
import type { Outcome } from '../gate/verdict.ts';
import { checkText, OUTCOME_WORD } from './check-text.ts';
import { countOf, listFacts, listTimings, OUTCOME_TITLE, totalSeconds, verdictSentence, widthText } from './facts.ts';
import type { GateReport, LayerReport, SelectionReport } from './gate-report.ts';
import { markdownCode, markdownProse } from './markdown-text.ts';
import { countText, durationText, percentText, realText } from './number-text.ts';
import { sizeSearchTable } from './size-search.ts';

/** Half of what the runner takes; everything else together stays below the other half. */
const MAX_LAYER_BYTES = 524_288;
const MAX_ROWS = 50;
const MAX_WARNINGS = 20;
const MAX_PROSE = 400;

const MARKS: Readonly<Record<Outcome, string>> = { pass: '✅', warn: '⚠️', fail: '❌', inconclusive: '❔' };

export function renderSummary(report: GateReport): string {
  const sections = [
    `## ${MARKS[report.verdict]} bitgate: ${OUTCOME_TITLE[report.verdict]}\n\n${verdictSentence(report)}`,
    renderChecks(report),
    renderFacts(report),
    ...(report.warnings.length === 0 ? [] : [renderWarnings(report.warnings)]),
    ...renderSizeSearch(report),
    renderAllocation(report.allocation),
    ...(report.selection === undefined ? [] : [renderSelection(report.selection)]),
    renderTimings(report),
    `Reproduce:\n\n<pre>${markdownCode(report.reproduce, MAX_PROSE)}</pre>`,
  ];
  return `${sections.join('\n\n')}\n`;
}

function renderChecks({ checks }: GateReport): string {
  const rows = checks.map((check) => {
    const { measured, limit, notes } = checkText(check);
    return [`${MARKS[check.outcome]} ${OUTCOME_WORD[check.outcome]}`, check.name, measured, limit, notes.join('; ')];
  });
  return renderTable(['', 'check', 'measured', 'limit', ''], 'llrll', rows);
}

function renderFacts(report: GateReport): string {
  const rows = listFacts(report).map(({ label, text }) => [label, markdownProse(text, MAX_PROSE)]);
  return renderTable(['', ''], 'll', rows);
}

function renderWarnings(warnings: readonly string[]): string {
  const shown = warnings.slice(0, MAX_WARNINGS).map((warning) => `- ⚠️ ${markdownProse(warning, MAX_PROSE)}`);
  const restCount = warnings.length - shown.length;
  return [...shown, ...(restCount > 0 ? [`- and ${countText(restCount)} more, see result.json`] : [])].join('\n');
}

function renderSizeSearch(report: GateReport): readonly string[] {
  const table = sizeSearchTable(report);
  if (table === undefined) return [];
  const rows = table.rows.map(({ cells, chosen }) => [chosen ? '→' : '', ...cells]);
  const body = `${table.sentence}\n\n${renderTable(['', ...table.head], 'lrrrrrl', rows)}`;
  return [renderDetails(table.title, body)];
}

function renderAllocation(allocation: readonly LayerReport[]): string {
  const rows = allocation.map(({ layer, opType, weightCount, bits, bytes }) => [
    markdownCode(layer),
    markdownCode(opType, 20),
    countText(weightCount),
    `${'█'.repeat(Math.max(1, Math.min(bits, 8)))} ${widthText(bits)}`,
    countText(bytes),
  ]);
  const shown = takeWithin(rows, MAX_LAYER_BYTES);
  const restCount = rows.length - shown.length;
  const rest = restCount > 0 ? `\n\nand ${countOf(restCount, 'more layer')}, see result.json` : '';
  const table = renderTable(['layer', 'operator', 'weights', 'bits', 'bytes'], 'llrlr', shown);
  return renderDetails(`Allocation over ${countOf(allocation.length, 'layer')}`, `${table}${rest}`);
}

/** The first rows that fit. */
function takeWithin(rows: readonly (readonly string[])[], maxBytes: number): readonly (readonly string[])[] {
  const encoder = new TextEncoder();
  let bytes = 0;
  const end = rows.findIndex((row) => {
    bytes += encoder.encode(renderRow(row)).length + 1;
    return bytes > maxBytes;
  });
  return end < 0 ? rows : rows.slice(0, end);
}

function renderSelection({ candidates, rankCorrelation }: SelectionReport): string {
  const rows = candidates
    .slice(0, MAX_ROWS)
    .map(({ name, predicted, measured, chosen }) => [
      `${chosen ? '→ ' : ''}${markdownCode(name)}`,
      realText(predicted),
      realText(measured),
    ]);
  const table = renderTable(['candidate', 'predicted loss', 'measured loss'], 'lrr', rows);
  const correlation = rankCorrelation === undefined ? '' : `\n\nRank correlation ${realText(rankCorrelation)}.`;
  return renderDetails('Predicted against measured loss', `${table}${correlation}`);
}

function renderTimings(report: GateReport): string {
  const rows = listTimings(report)
    .slice(0, MAX_ROWS)
    .map(({ stage, seconds, share }) => [markdownProse(stage), durationText(seconds), percentText(share, 0)]);
  return renderDetails(
    `Time ${durationText(totalSeconds(report.timings))}`,
    renderTable(['stage', 'time', 'share'], 'lrr', rows),
  );
}

function renderDetails(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

/** @param alignment `l` or `r` for each column */
function renderTable(head: readonly string[], alignment: string, rows: readonly (readonly string[])[]): string {
  const rule = [...alignment].map((side) => (side === 'r' ? '--:' : ':--'));
  return [head, rule, ...rows].map(renderRow).join('\n');
}

function renderRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
