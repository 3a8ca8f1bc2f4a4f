/**
 * What a step says to the workflow runner: commands in its log, and lines in files that the runner names
 * (GitHub Docs, "Workflow commands"; actions/runner, ActionCommand.cs and FileCommandManager.cs).
 *
 * @actions/core does the same, and brings a megabyte of HTTP client that every start would have to load.
 */
import { randomUUID } from 'node:crypto';

/** `::error file=a.yml,line=3::text`; properties that are undefined are left out. */
export function workflowCommand(
  name: string,
  properties: Readonly<Record<string, string | number | undefined>>,
  text: string,
): string {
  const pairs = Object.entries(properties).filter(([, value]) => value !== undefined);
  const list = pairs.map(([key, value]) => `${key}=${escapeProperty(String(value))}`).join(',');
  return `::${name}${list === '' ? '' : ` ${list}`}::${escapeText(text)}\n`;
}

/** A named value as a file of commands takes it, between delimiters that no value can hold. */
export function namedValue(name: string, value: string, delimiter = `bitgate_${randomUUID()}`): string {
  return `${name}<<${delimiter}\n${value}\n${delimiter}\n`;
}

/** The variable that holds an input: spaces become underscores, hyphens stay. */
export function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

function escapeText(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeText(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** Names in a model are not trusted: printed at the start of a line, `::` would be a command to the runner. */
export async function withoutWorkflowCommands<Result>(
  write: (text: string) => void,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  const token = randomUUID();
  write(`::stop-commands::${token}\n`);
  try {
    return await work();
  } finally {
    write(`\n::${token}::\n`);
  }
}
