/** How `budget: auto` found its size, in rows that every form of the report shows in its own way. */
import { OUTCOME_WORD } from './check-text.ts';
import type { GateReport, SizeSearchReport } from './gate-report.ts';
import { dropText, metricText } from './metric-text.ts';
import { bytesText, countText, decimalText } from './number-text.ts';

export type SizeSearchTable = {
  readonly title: string;
  readonly sentence: string;
  readonly head: readonly string[];
  readonly rows: readonly { readonly cells: readonly string[]; readonly chosen: boolean }[];
};

/** Undefined where the budget was named. */
export function sizeSearchTable({
  sizeSearch,
  quantized: { metric, samples },
}: GateReport): SizeSearchTable | undefined {
  if (sizeSearch === undefined) return undefined;
  const rows = sizeSearch.steps.map(({ limitBytes, sizeBytes, effectiveBits, value, drop, verdict, chosen }) => ({
    cells: [
      countText(limitBytes),
      countText(sizeBytes),
      decimalText(effectiveBits, 2),
      metricText(metric, value),
      dropText(metric, drop),
      OUTCOME_WORD[verdict],
    ],
    chosen,
  }));
  const head = ['budget', 'bytes', 'bits per weight', metric, 'drop', 'verdict'];
  return { title: 'Search for the smallest model', sentence: describe(sizeSearch, samples), head, rows };
}

function describe({ steps, evaluations, confidence }: SizeSearchReport, samples: number | undefined): string {
  const chosen = steps.find((step) => step.chosen)!;
  const count = samples === undefined ? '' : `${countText(samples)} `;
  const looks = `the ${count}evaluation samples were looked at ${evaluations === 1 ? 'once' : `${evaluations} times`}`;
  const level = confidence === undefined ? '' : `, each with intervals of ${Number((100 * confidence).toFixed(3))} %`;
  if (!chosen.passed)
    return `no size passes: not even the largest model does, of ${bytesText(chosen.sizeBytes)}; ${looks}${level}`;
  return `the smallest measured model that passes has ${bytesText(chosen.sizeBytes)}; ${looks}${level}`;
}
