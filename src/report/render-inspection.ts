/** `bitgate inspect` as text: the layers, the budget, and what measuring would cost. */
import type { Problem } from '../errors.ts';
import type { Inspection } from './inspection.ts';
import { amountText, durationText, memoryText } from './number-text.ts';
import { plainText } from './plain-text.ts';

export function renderInspection(inspection: Inspection): string {
  return [
    ...renderModel(inspection),
    '',
    ...renderTable(layerRows(inspection)),
    '',
    ...renderBudget(inspection),
    ...inspection.limits.map(renderLimit),
    ...inspection.problems.flatMap(renderProblem),
    '',
    ...renderTable(methodRows(inspection)),
    describeChoice(inspection),
    '',
  ].join('\n');
}

function renderModel({ model, layers, calibrationSamples, evaluationSamples }: Inspection): string[] {
  return [
    `${plainText(model.path)}: ${bytes(model.sizeBytes)}, opset ${model.opsetVersion}`,
    `${layers.length} layers with ${totalWeights({ layers })} weights that can be quantized`,
    `${calibrationSamples} calibration samples, ${evaluationSamples === undefined ? 'evaluation by a command' : `${evaluationSamples} evaluation samples`}`,
  ];
}

function layerRows({ layers }: Inspection): string[][] {
  const widths = [...new Set(layers.flatMap(({ bytesByWidth }) => bytesByWidth.map(({ bitWidth }) => bitWidth)))].sort(
    (a, b) => a - b,
  );
  const head = ['layer', 'operator', 'shape', 'weights', ...widths.map((width) => `bytes at ${width} bits`)];
  const rows = layers.map(({ name, opType, dims, weightCount, bytesByWidth }) => [
    plainText(name),
    opType,
    dims.join('×'),
    String(weightCount),
    ...widths.map((width) => String(bytesByWidth.find(({ bitWidth }) => bitWidth === width)?.bytes ?? '-')),
  ]);
  return [head, ...rows];
}

function renderBudget({ budget, smallest, layers }: Inspection): string[] {
  if (budget === undefined) return [`no budget, the artifact takes ${bytes(smallest)}`];
  const weightCount = totalWeights({ layers });
  const amount = (value: number) =>
    budget.kind === 'file-bytes' ? bytes(value) : `${(value / weightCount).toFixed(4)} bits per weight`;
  const verdict = smallest <= budget.limit ? 'the budget can be met' : 'the budget CANNOT be met';
  return [`budget ${amount(budget.limit)}, smallest feasible ${amount(smallest)}: ${verdict}`];
}

/** `latency: at most 12.5 ms, the least possible is 8.25 ms`. */
function renderLimit({ name, unit, limit, smallest }: Inspection['limits'][number]): string {
  const amounts = `at most ${amountText(limit, unit)}, the least possible is ${amountText(smallest, unit)}`;
  return plainText(`${name}: ${amounts}`, 200);
}

function renderProblem({ what, fix }: Problem): string[] {
  return [what, ...(fix === undefined ? [] : [`  fix: ${fix}`])].map((line) => plainText(line, 1_000));
}

function methodRows({ methods, measuredSamples }: Inspection): string[][] {
  const forwards = `forwards of ${measuredSamples} samples`;
  const head = ['method', 'perturbations', 'sessions', forwards, 'estimated time here', 'memory of a session'];
  const rows = methods.map(({ method, perturbations, unitCount, forwardEquivalents, seconds, memoryBytes }) => [
    method,
    String(perturbations),
    String(unitCount),
    forwardEquivalents.toFixed(1),
    durationText(seconds),
    memoryText(memoryBytes),
  ]);
  return [head, ...rows];
}

function describeChoice({ choice: { configured, chosen, timeLimitSeconds }, methods }: Inspection): string {
  const limit = `the time limit of ${durationText(timeLimitSeconds)}`;
  if (chosen === 'external') return 'nothing is measured: the sensitivities come from a file';
  if (chosen === 'none') return 'nothing is measured: the allocation is given';
  if (configured === 'auto')
    return `auto takes ${chosen}, the richest within ${limit}; what is kept of earlier runs costs nothing`;
  const seconds = methods.find(({ method }) => method === chosen)?.seconds ?? 0;
  const excess = seconds > timeLimitSeconds ? `, though it takes more than ${limit}` : '';
  return `${chosen} is measured, because the config names it${excess}`;
}

function totalWeights({ layers }: Pick<Inspection, 'layers'>): number {
  return layers.reduce((sum, { weightCount }) => sum + weightCount, 0);
}

/** Columns padded to their widest cell; words to the left, numbers to the right. */
function renderTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const isNumeric = rows[0]!.map((_, column) => rows.slice(1).every((row) => /^[-\d]/.test(row[column]!)));
  return rows.map((row) =>
    row
      .map((cell, column) => (isNumeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

function bytes(count: number): string {
  return `${Math.ceil(count)} bytes`;
}
