/** How a failure reaches a person, and which exit code it gives: the one place where errors end. */
import { renderProblem, UserError } from '../errors.ts';
import { INTERRUPTED_EXIT_CODE, InterruptedError } from './interrupt.ts';

/** The exit codes of both faces. */
export const EXIT_CODE = { passed: 0, gateFailed: 1, unusableInput: 2, fault: 3 } as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof InterruptedError) return INTERRUPTED_EXIT_CODE;
  return error instanceof UserError ? EXIT_CODE.unusableInput : EXIT_CODE.fault;
}

/** Renders what the user can repair, or else the stack with its causes and the request to report it. */
export function renderFailure(error: unknown): string {
  if (error instanceof InterruptedError)
    return `${error.message}; what was measured until then is kept where a cache is on\n`;
  if (error instanceof UserError) return error.problems.map((problem) => `error: ${renderProblem(problem)}\n`).join('');
  const trace = causesOf(error).map(renderTrace).join('\ncaused by: ');
  return `${trace}\n\nThis is a fault of bitgate or of the runtime it uses. Please report it with the lines above.\n`;
}

/** Longer chains of causes are circular. */
const MAX_CAUSES = 10;

function causesOf(error: unknown): readonly unknown[] {
  const chain = [error];
  for (let next = error; next instanceof Error && next.cause !== undefined && chain.length < MAX_CAUSES; ) {
    next = next.cause;
    chain.push(next);
  }
  return chain;
}

function renderTrace(error: unknown): string {
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
}
