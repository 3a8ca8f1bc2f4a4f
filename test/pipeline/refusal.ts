import { expect } from 'vitest';
import { bitgate, errorsOf } from './bitgate.ts';
import { EXAMPLE, filesIn } from './workspace.ts';

export type Refusal = {
  /** All errors, with `<folder>` and `<example>` for paths. */
  readonly message: string;
  readonly sessionCount: number;
};

/** What a command says that has to be refused as bad input: exit code 2, no result, and no file more or less than before. */
export async function refusal(folder: string, argv: readonly string[] = ['run']): Promise<Refusal> {
  const before = filesIn(folder);
  const outcome = await bitgate(argv, folder);
  expect({ exitCode: outcome.exitCode, stderr: outcome.exitCode === 2 ? '' : outcome.stderr }).toEqual({
    exitCode: 2,
    stderr: '',
  });
  expect(outcome.stdout).toBe('');
  expect(filesIn(folder)).toEqual(before);
  const message = errorsOf(outcome).replaceAll(folder, '<folder>').replaceAll(EXAMPLE, '<example>');
  return { message, sessionCount: outcome.sessionCount };
}

/** Errors as the command line prints them: each what it says, and how to mend it. */
export function errorText(...errors: readonly (readonly [what: string, fix?: string])[]): string {
  return errors.map(([what, fix]) => `error: ${what}\n${fix === undefined ? '' : `  fix: ${fix}\n`}`).join('');
}
