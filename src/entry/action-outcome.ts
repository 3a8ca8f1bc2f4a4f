/** What a decided gate leaves with the runner: outputs, notes on lines of the config, a summary, a file to attest. */
import { relative } from 'node:path';
import type { Config, GateConfig } from '../config/config.ts';
import type { Check } from '../gate/verdict.ts';
import { describeCheck, OUTCOME_WORD } from '../report/check-text.ts';
import type { GateReport } from '../report/gate-report.ts';
import type { ActionHost, Annotation } from './action-host.ts';
import { fitText, MAX_SUMMARY_BYTES } from './fit-text.ts';

export function reportOutcome(report: GateReport, summary: string, config: Config, host: ActionHost): void {
  setOutputs(report, config, host);
  for (const check of report.checks) {
    if (!check.passed) host.annotate(annotateCheck(check, config.gate));
  }
  host.addSummary(fitText(summary, MAX_SUMMARY_BYTES, 'summary.md in the report folder'));
  if (report.passed) listArtifact(config.outputPath, host);
}

function setOutputs(report: GateReport, config: Config, host: ActionHost): void {
  host.setOutput('verdict', report.verdict);
  host.setOutput('artifact-path', config.outputPath);
  host.setOutput('artifact-size-bytes', report.artifact.sizeBytes);
  host.setOutput('accuracy', report.quantized.value);
  host.setOutput('accuracy-drop', report.drop);
  host.setOutput('report-path', config.reportDirectory);
}

/** A note on the line of the config that set the limit; as loud as what the check does to the build. */
function annotateCheck(check: Check, gate: GateConfig): Annotation {
  const { outcome, limitName } = check;
  const onlyWarns = outcome === 'warn' || (outcome === 'inconclusive' && gate.inconclusive === 'warn');
  const where = limitName === undefined ? undefined : gate.locations[limitName];
  return {
    level: onlyWarns ? 'warning' : 'error',
    title: `bitgate: ${OUTCOME_WORD[outcome]}`,
    message: describeCheck(check),
    ...(where === undefined ? {} : { where }),
  };
}

/** What the list would not take as a path, and fail the step for (actions/runner, CreateArtifactsFileCommand.cs). */
const UNLISTABLE = /[=\r\n]|^\s|\s$|:\/\/|@sha(256|384|512):/;

/** Later steps may attest only what passed. */
function listArtifact(path: string, host: ActionHost): void {
  // From the workspace, because the runner may see it elsewhere than a container does.
  const listed = `./${relative(host.workspace, path)}`;
  if (!UNLISTABLE.test(listed)) {
    host.addArtifact(listed);
    return;
  }
  const message = `the runner's list of artifacts cannot hold ${JSON.stringify(listed)}; choose a name of letters and digits`;
  host.annotate({ level: 'warning', title: 'bitgate', message });
}
