/** What a run without a verdict leaves with the runner: the problems, each where the user can repair it. */
import { type Problem, renderProblem, UserError } from '../errors.ts';
import type { ActionHost, Annotation } from './action-host.ts';
import { renderFailure } from './failure.ts';
import { fitText, MAX_SUMMARY_BYTES } from './fit-text.ts';
import { InterruptedError } from './interrupt.ts';
import { withoutWorkflowCommands } from './workflow-commands.ts';

/** The runner shows ten errors of a step (actions/runner, ExecutionContext.cs), so the tenth counts the rest. */
const MAX_ANNOTATIONS = 9;

/** Of an interrupted run the post step tells, when it is over. */
export async function reportFailure(error: unknown, host: ActionHost): Promise<void> {
  host.setOutput('verdict', 'error');
  await withoutWorkflowCommands(host.write, () => host.write(renderFailure(error)));
  if (error instanceof InterruptedError) return;
  for (const annotation of annotateFailure(error)) host.annotate(annotation);
  host.addSummary(fitText(renderFailureSummary(error), MAX_SUMMARY_BYTES, 'the log'));
}

function annotateFailure(error: unknown): readonly Annotation[] {
  if (!(error instanceof UserError)) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ level: 'error', title: 'bitgate: internal fault, please report it', message }];
  }
  const shown = error.problems.slice(0, MAX_ANNOTATIONS).map(annotateProblem);
  const restCount = error.problems.length - shown.length;
  const rest = { level: 'error' as const, title: 'bitgate', message: `and ${restCount} more, see the log` };
  return restCount > 0 ? [...shown, rest] : shown;
}

function annotateProblem({ what, where, fix }: Problem): Annotation {
  return {
    level: 'error',
    title: 'bitgate',
    message: fix === undefined ? what : `${what}\nfix: ${fix}`,
    ...(where === undefined ? {} : { where }),
  };
}

export function renderFailureSummary(error: unknown): string {
  if (!(error instanceof UserError)) return '## bitgate: internal fault\n\nSee the log, and please report it.\n';
  const problems = error.problems.map((problem) => `${fence(renderProblem(problem))}\n`).join('\n');
  return `## bitgate: the input cannot be used\n\n${problems}`;
}

/** As code, so that nothing in a message is read as markdown. */
function fence(text: string): string {
  const longestRun = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const mark = '`'.repeat(longestRun + 1);
  return `${mark}text\n${text}\n${mark}`;
}
