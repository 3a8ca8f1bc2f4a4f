/** `bitgate evaluate` as text: the verdict of any model, and what led to it. */
import type { EvaluationReport } from './evaluation-report.ts';
import { describeEnvironment, describeEvaluation, type Fact, speedFacts } from './facts.ts';
import { bytesText, percentText } from './number-text.ts';
import { createPaint, renderFacts, renderVerdict } from './render-terminal.ts';

export function renderEvaluation(report: EvaluationReport, { color }: { readonly color: boolean }): string {
  const paint = createPaint(color);
  const sections = [renderVerdict(report, paint), renderFacts(listFacts(report), paint)];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function listFacts(report: EvaluationReport): readonly Fact[] {
  const { model, artifact, environment } = report;
  const share = percentText(artifact.sizeBytes / model.sizeBytes);
  return [
    { label: 'float model', text: `${model.path}, ${bytesText(model.sizeBytes)}` },
    { label: 'model', text: `${artifact.path}, ${bytesText(artifact.sizeBytes)}, ${share} of the float file` },
    { label: 'evaluation', text: describeEvaluation(report) },
    ...speedFacts(report),
    { label: 'ran on', text: describeEnvironment(environment) },
  ];
}
