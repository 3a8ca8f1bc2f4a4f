/** The post step: runs whatever became of the main step, and tells of one that never came to its end. */
import type { ActionHost } from './action-host.ts';

/** Speaks only after a main step that started and did not finish. Returns the exit code. */
export function runPostStep(host: ActionHost): number {
  if (host.state('phase') !== 'started') return 0;
  const progress = host.state('progress');
  const reached = progress === undefined ? '' : ` It had come to: ${progress}.`;
  const message = `The run ended before a verdict: it was cancelled, ran out of time, or was killed.${reached}`;
  host.annotate({ level: 'warning', title: 'bitgate: interrupted', message });
  host.addSummary(`## bitgate: interrupted\n\n${message}\n`);
  return 0;
}
