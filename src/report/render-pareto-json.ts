import { harmlessJson } from './harmless-json.ts';
import type { ParetoReport } from './pareto-report.ts';

/** `pareto.json`, as schemas/pareto.v1.schema.json describes it; a number that is not finite is null. */
export function renderParetoJson(report: ParetoReport): string {
  return `${harmlessJson(report)}\n`;
}
