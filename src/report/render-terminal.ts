/** The report for a terminal or a log: the verdict first, then what led to it. */
import type { Check, Outcome, Verdict } from '../gate/verdict.ts';
import { alignColumns } from './align-columns.ts';
import { checkText } from './check-text.ts';
import {
  countOf,
  type Fact,
  listFacts,
  listTimings,
  OUTCOME_TITLE,
  totalSeconds,
  verdictSentence,
  widthText,
} from './facts.ts';
import type { GateReport, LayerReport, SelectionReport } from './gate-report.ts';
import { countText, durationText, realText } from './number-text.ts';
import { plainText } from './plain-text.ts';
import { sizeSearchTable } from './size-search.ts';

/** Longer tables only hide what stands above them. */
const MAX_LAYERS = 256;

const MARKS: Readonly<Record<Outcome, string>> = { pass: '✓', warn: '!', fail: '✗', inconclusive: '?' };

/** Select Graphic Rendition (ECMA-48, section 8.3.117): bold, dim, and the usual colours of outcomes. */
const STYLES = { bold: '1', dim: '2', pass: '32', warn: '33', fail: '31', inconclusive: '35' } as const;

export type Paint = (style: keyof typeof STYLES, text: string) => string;

export function createPaint(color: boolean): Paint {
  return (style, text) => (color ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text);
}

export function renderTerminal(report: GateReport, { color }: { readonly color: boolean }): string {
  const paint = createPaint(color);
  const sections = [
    renderVerdict(report, paint),
    renderFacts(listFacts(report), paint),
    ...renderSizeSearch(report, paint),
    renderAllocation(report.allocation, paint),
    ...(report.selection === undefined ? [] : [renderSelection(report.selection, paint)]),
    renderTimings(report, paint),
    ...(report.warnings.length === 0 ? [] : [renderWarnings(report.warnings, paint)]),
    [paint('bold', 'reproduce'), `  ${plainText(report.reproduce, Number.POSITIVE_INFINITY)}`],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

export function renderVerdict(report: Verdict, paint: Paint): readonly string[] {
  const title = paint(report.verdict, paint('bold', OUTCOME_TITLE[report.verdict]));
  const rows = report.checks.map((check) => {
    const { measured, limit } = checkText(check);
    return [check.name, measured, limit];
  });
  const lines = alignColumns(rows, ['left', 'right', 'left']);
  return [
    `bitgate: ${title}, ${verdictSentence(report)}`,
    '',
    ...report.checks.flatMap((check, index) => [
      `  ${paint(check.outcome, MARKS[check.outcome])} ${lines[index]}`,
      ...renderNotes(check, paint),
    ]),
  ];
}

function renderNotes(check: Check, paint: Paint): readonly string[] {
  const { notes } = checkText(check);
  return notes.length === 0 ? [] : [paint('dim', `      ${notes.join('; ')}`)];
}

export function renderFacts(facts: readonly Fact[], paint: Paint): readonly string[] {
  const width = Math.max(...facts.map(({ label }) => label.length));
  return facts.map(({ label, text }) => `  ${paint('dim', label.padEnd(width))}  ${plainText(text, 300)}`);
}

function renderSizeSearch(report: GateReport, paint: Paint): readonly (readonly string[])[] {
  const table = sizeSearchTable(report);
  if (table === undefined) return [];
  const rows = table.rows.map(({ cells, chosen }) => [chosen ? '→' : '', ...cells]);
  const alignment = ['left', ...table.head.slice(1).map(() => 'right' as const), 'left'] as const;
  const [head, ...lines] = alignColumns([['', ...table.head], ...rows], alignment);
  return [
    [
      paint('bold', table.title.toLowerCase()),
      `  ${table.sentence}`,
      paint('dim', `  ${head}`),
      ...lines.map((line) => `  ${line}`),
    ],
  ];
}

const FULL_WIDTH = 8;

function renderAllocation(allocation: readonly LayerReport[], paint: Paint): readonly string[] {
  const shown = allocation.slice(0, MAX_LAYERS);
  const rows = shown.map(({ layer, opType, weightCount, bits, bytes }) => [
    plainText(layer),
    plainText(opType, 20),
    countText(weightCount),
    `${'█'.repeat(Math.min(bits, FULL_WIDTH))}${'░'.repeat(Math.max(0, FULL_WIDTH - bits))}`,
    widthText(bits),
    countText(bytes),
  ]);
  const head = ['layer', 'operator', 'weights', 'bits', '', 'bytes'];
  const [title, ...lines] = alignColumns([head, ...rows], ['left', 'left', 'right', 'left', 'right', 'right']);
  const restCount = allocation.length - shown.length;
  return [
    paint('bold', 'allocation'),
    paint('dim', `  ${title}`),
    ...lines.map((line) => `  ${line}`),
    ...(restCount > 0 ? [`  and ${countOf(restCount, 'more layer')}, see result.json`] : []),
  ];
}

function renderSelection({ candidates, rankCorrelation }: SelectionReport, paint: Paint): readonly string[] {
  const rows = candidates.map(({ name, predicted, measured, chosen }) => [
    chosen ? '→' : '',
    plainText(name),
    realText(predicted),
    realText(measured),
  ]);
  const head = ['', 'candidate', 'predicted loss', 'measured loss'];
  const [title, ...lines] = alignColumns([head, ...rows], ['left', 'left', 'right', 'right']);
  return [
    paint('bold', 'selection by measurement'),
    paint('dim', `  ${title}`),
    ...lines.map((line) => `  ${line}`),
    ...(rankCorrelation === undefined ? [] : [`  rank correlation ${realText(rankCorrelation)}`]),
  ];
}

const TIME_BAR_WIDTH = 20;

function renderTimings(report: GateReport, paint: Paint): readonly string[] {
  const rows = listTimings(report).map(({ stage, seconds, share }) => [
    plainText(stage),
    durationText(seconds),
    '█'.repeat(Math.round(share * TIME_BAR_WIDTH)),
  ]);
  return [
    `${paint('bold', 'time')} ${durationText(totalSeconds(report.timings))}`,
    ...alignColumns(rows, ['left', 'right', 'left']).map((line) => `  ${line}`),
  ];
}

function renderWarnings(warnings: readonly string[], paint: Paint): readonly string[] {
  return [
    paint('bold', 'warnings'),
    ...warnings.map((warning) => `  ${paint('warn', '!')} ${plainText(warning, 400)}`),
  ];
}
