/** Ending early: a runner that cancels a job sends SIGINT, 7.5 seconds later SIGTERM, and 2.5 seconds later kills (actions/runner, ProcessInvoker.cs). */

/** The reason of the abort. */
export class InterruptedError extends Error {
  constructor(signalName: string) {
    super(`interrupted by ${signalName}`);
    this.name = 'InterruptedError';
  }
}

/** What shells expect of a program that SIGINT ended: 128 + 2. */
export const INTERRUPTED_EXIT_CODE = 130;

/** What is under way gets this long to stop at its next step; then the process ends without it. */
const GRACE_MILLISECONDS = 5_000;

/** A signal for all stages that is aborted by the first SIGINT or SIGTERM; the second ends the process at once. */
export function abortOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (signalName: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(INTERRUPTED_EXIT_CODE);
    controller.abort(new InterruptedError(signalName));
    setTimeout(() => process.exit(INTERRUPTED_EXIT_CODE), GRACE_MILLISECONDS).unref();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return controller.signal;
}
