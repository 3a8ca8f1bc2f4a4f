/** The workflow runner as the action sees it. */
import { appendFileSync } from 'node:fs';
import type { SourceLocation } from '../errors.ts';
import { inputVariable, namedValue, workflowCommand } from './workflow-commands.ts';

/** What an action may ask of the runner. */
export type ActionHost = {
  /** The input as the workflow gives it, trimmed; undefined when it is absent or empty. */
  input(name: string): string | undefined;
  setOutput(name: OutputName, value: string | number): void;
  annotate(annotation: Annotation): void;
  /** Keeps a short text for the post step; a later one of the same name comes in its place. */
  saveState(name: StateName, value: string): void;
  /** In the post step: what the main step kept. */
  state(name: StateName): string | undefined;
  /** Adds markdown to the page of the run, where there is one. */
  addSummary(markdown: string): void;
  /** Names a file that later steps may attest, where the runner keeps a list of such files. */
  addArtifact(path: string): void;
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
  | 'report-path'
  | 'matrix'
  | 'plan'
  | 'share-path';

/**
 * `phase` is `started` or `finished`; `progress` is how far an interrupted run had come; `measurement` names the set of
 * measurements that was under way, as JSON.
 */
export type StateName = 'phase' | 'progress' | 'measurement';

/** A note on the run, and on the line of a file when it has a place. */
export type Annotation = {
  readonly level: 'error' | 'warning' | 'notice';
  readonly title: string;
  readonly message: string;
  readonly where?: SourceLocation | string;
};

/** The runner of this process (GitHub Docs, "Default environment variables"). */
export function createActionHost(environment: NodeJS.ProcessEnv, workingDirectory: string): ActionHost {
  const write = (text: string) => void process.stdout.write(text);
  /** Appended at once, so that it is there also when the process is killed in the next moment. */
  const append = (file: string | undefined, text: string) => {
    if (file) appendFileSync(file, text);
  };
  return {
    input: (name) => environment[inputVariable(name)]?.trim() || undefined,
    setOutput: (name, value) => append(environment.GITHUB_OUTPUT, namedValue(name, String(value))),
    annotate: ({ level, title, message, where }) =>
      write(workflowCommand(level, { title, ...toProperties(where) }, message)),
    saveState: (name, value) => append(environment.GITHUB_STATE, namedValue(name, value)),
    state: (name) => environment[`STATE_${name}`] || undefined,
    addSummary: (markdown) => append(environment.GITHUB_STEP_SUMMARY, `${markdown}\n`),
    addArtifact: (path) => append(environment.GITHUB_ARTIFACTS, `${path}\n`),
    write,
    workspace: environment.GITHUB_WORKSPACE ?? workingDirectory,
  };
}

/** Columns are allowed on one line only. */
function toProperties(
  where: SourceLocation | string | undefined,
): Readonly<Record<string, string | number | undefined>> {
  if (where === undefined) return {};
  if (typeof where === 'string') return { file: where };
  const { file, line, column, endLine, endColumn } = where;
  const isOneLine = endLine === undefined || endLine === line;
  return { file, line, endLine, ...(isOneLine ? { col: column, endColumn } : {}) };
}
