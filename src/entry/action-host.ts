/** The workflow runner as the action sees it; the only importer of @actions/core. */
import { error, getInput, setOutput, summary, warning } from '@actions/core';
import type { SourceLocation } from '../errors.ts';

/** What an action may ask of the runner. */
export type ActionHost = {
  /** The input as the workflow gives it, trimmed; undefined when it is absent or empty. */
  input(name: string): string | undefined;
  setOutput(name: OutputName, value: string | number): void;
  annotate(annotation: Annotation): void;
  /** Adds markdown to the page of the run, where there is one. */
  addSummary(markdown: string): Promise<void>;
  /** Writes to the log. */
  write(text: string): void;
  readonly workspace: string;
};

export type OutputName =
  | 'verdict'
  | 'artifact-path'
  | 'artifact-size-bytes'
  | 'accuracy'
  | 'accuracy-drop'
  | 'report-path';

/** A note on the run, and on the line of a file when it has a place. */
export type Annotation = {
  readonly level: 'error' | 'warning';
  readonly title: string;
  readonly message: string;
  readonly where?: SourceLocation | string;
};

/** The runner of this process (GitHub Docs, "Workflow commands", "Default environment variables"). */
export function createActionHost(environment: NodeJS.ProcessEnv, workingDirectory: string): ActionHost {
  return {
    input: (name) => getInput(name) || undefined,
    setOutput,
    annotate: ({ level, title, message, where }) =>
      (level === 'error' ? error : warning)(message, { title, ...toProperties(where) }),
    addSummary: async (markdown) => {
      if (environment.GITHUB_STEP_SUMMARY) await summary.addRaw(markdown, true).write();
    },
    write: (text) => void process.stdout.write(text),
    workspace: environment.GITHUB_WORKSPACE ?? workingDirectory,
  };
}

/** Columns are allowed on one line only. */
function toProperties(where: SourceLocation | string | undefined): object {
  if (where === undefined) return {};
  if (typeof where === 'string') return { file: where };
  const { file, line, column, endLine, endColumn } = where;
  const isOneLine = endLine === undefined || endLine === line;
  const columns = isOneLine ? { startColumn: column, ...(endColumn === undefined ? {} : { endColumn }) } : {};
  return { file, startLine: line, ...(endLine === undefined ? {} : { endLine }), ...columns };
}
