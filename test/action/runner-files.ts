/** The files of commands that a step writes, as the runner reads them (actions/runner, FileCommandManager.cs, CreateArtifactsFileCommand.cs). */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';

/** `name=value`, or `name<<delimiter`, the value, and the delimiter on a line of its own. */
export function parseNamedValues(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line === '') continue;
    const [equals, heredoc] = [line.indexOf('='), line.indexOf('<<')];
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      values[line.slice(0, equals)] = line.slice(equals + 1);
    } else if (heredoc > 0 && line.length > heredoc + 2) {
      const end = lines.indexOf(line.slice(heredoc + 2), at + 1);
      if (end < 0) throw new Error(`Invalid value. Matching delimiter not found '${line.slice(heredoc + 2)}'`);
      values[line.slice(0, heredoc)] = lines.slice(at + 1, end).join('\n');
      at = end;
    } else {
      throw new Error(`Invalid format '${line}'`);
    }
  }
  return values;
}

const MAX_SUMMARY_BYTES = 1024 * 1024;

/** The summary that the page of the run shows: all of it or, beyond 1 MiB, an error instead. */
export function readSummary(path: string): { readonly summary: string } | { readonly complaint: string } {
  const { size } = statSync(path);
  if (size <= MAX_SUMMARY_BYTES) return { summary: readFileSync(path, 'utf8') };
  return {
    complaint: `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${size / 1024}k`,
  };
}

/** Outputs of a job may have a megabyte, as UTF-16 (GitHub Docs, "Outputs"). */
const MAX_OUTPUT_BYTES = 1024 * 1024;

export function outputComplaints(outputs: Readonly<Record<string, string>>): string[] {
  const size = Object.values(outputs).reduce((sum, value) => sum + 2 * value.length, 0);
  return size <= MAX_OUTPUT_BYTES ? [] : [`outputs have ${size} bytes, more than ${MAX_OUTPUT_BYTES}`];
}

/** The files to attest; one bad line fails the step. */
export function parseArtifacts(text: string, workspace: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      if (line.includes('=')) throw new Error("entries containing '=' are reserved and not permitted");
      const path = resolve(workspace, line);
      if (!existsSync(path) || !statSync(path).isFile()) throw new Error(`file '${line}' does not exist`);
      return basename(path);
    });
}
