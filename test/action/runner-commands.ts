/** The lines of a step as the runner reads them: commands in a log (actions/runner, ActionCommand.cs, ActionCommandManager.cs). */

export type LoggedAnnotation = {
  readonly level: 'error' | 'warning' | 'notice';
  readonly message: string;
  readonly title?: string;
  readonly file?: string;
  readonly line?: number;
  readonly endLine?: number;
  readonly column?: number;
  readonly endColumn?: number;
};

type Command = { readonly name: string; readonly properties: Readonly<Record<string, string>>; readonly data: string };

/** What the runner carries out; `set-output` and `save-state` still work, which is why hostile text must not reach it. */
const REGISTERED = new Set([
  'error',
  'warning',
  'notice',
  'debug',
  'group',
  'endgroup',
  'add-mask',
  'set-output',
  'save-state',
  'set-env',
  'add-path',
  'add-matcher',
  'remove-matcher',
  'echo',
  'stop-commands',
]);

/** A step shows no more than so many annotations of a level, and cuts their text (ExecutionContext.cs). */
const MAX_ANNOTATIONS = 10;
const MAX_MESSAGE_LENGTH = 4096;

/** Reads the lines of one step; `outputs` and `state` collect what old-style commands set. */
export function createCommandReader() {
  const annotations: LoggedAnnotation[] = [];
  const refused: string[] = [];
  const outputs: Record<string, string> = {};
  const state: Record<string, string> = {};
  const shown: string[] = [];
  let stopToken: string | undefined;

  const carryOut = ({ name, properties, data }: Command) => {
    switch (name) {
      case 'error':
      case 'warning':
      case 'notice':
        if (annotations.filter(({ level }) => level === name).length >= MAX_ANNOTATIONS) return;
        annotations.push(toAnnotation(name, properties, data.slice(0, MAX_MESSAGE_LENGTH)));
        return;
      case 'set-output':
        outputs[properties.name ?? ''] = data;
        return;
      case 'save-state':
        state[properties.name ?? ''] = data;
        return;
      case 'set-env':
      case 'add-path':
        refused.push(name);
    }
  };
  const read = (line: string) => {
    const command = parseCommand(line, stopToken);
    if (stopToken !== undefined) {
      if (command?.name === stopToken.toLowerCase()) stopToken = undefined;
      else shown.push(line);
    } else if (command?.name === 'stop-commands') stopToken = command.data;
    else if (command !== undefined) carryOut(command);
    else shown.push(line);
  };
  return { read, annotations, outputs, state, shown, refused, isStopped: () => stopToken !== undefined };
}

/** A command at the start of a line, `::name key=value::data`, or of the old form anywhere in it, `##[name key=value]data`. */
function parseCommand(line: string, stopToken: string | undefined): Command | undefined {
  return (
    toCommand(/^\s*::([^ ]*?)(?: (.*?))?::(.*)$/s.exec(line), ',', unescapeNew, stopToken) ??
    toCommand(/##\[([^ \]]*)(?: ([^\]]*))?\](.*)$/s.exec(line), ';', unescapeOld, stopToken)
  );
}

function toCommand(
  match: RegExpExecArray | null,
  separator: string,
  decode: (text: string) => string,
  stopToken: string | undefined,
): Command | undefined {
  const [, name, list = '', data = ''] = match ?? [];
  const known = name?.toLowerCase();
  if (known === undefined || !(REGISTERED.has(known) || known === stopToken?.toLowerCase())) return undefined;
  const pairs = list
    .trim()
    .split(separator)
    .filter((pair) => pair.includes('='));
  const properties = Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), decode(pair.slice(pair.indexOf('=') + 1))]),
  );
  return { name: known, properties, data: decode(data) };
}

/** In the runner's order, percent signs last; colons and commas only matter in properties, which nothing else brings. */
function unescapeNew(text: string): string {
  return replaceAll(text, [
    ['%0D', '\r'],
    ['%0A', '\n'],
    ['%3A', ':'],
    ['%2C', ','],
    ['%25', '%'],
  ]);
}

function unescapeOld(text: string): string {
  return replaceAll(text, [
    ['%3B', ';'],
    ['%0D', '\r'],
    ['%0A', '\n'],
    ['%5D', ']'],
    ['%25', '%'],
  ]);
}

function replaceAll(text: string, pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((result, [from, to]) => result.replaceAll(from, to), text);
}

function toAnnotation(
  level: LoggedAnnotation['level'],
  { title, file, line, endLine, col, endColumn }: Readonly<Record<string, string>>,
  message: string,
): LoggedAnnotation {
  const number = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: Number(value) });
  return {
    level,
    message,
    ...(title === undefined ? {} : { title }),
    ...(file === undefined ? {} : { file }),
    ...number('line', line),
    ...number('endLine', endLine),
    ...number('column', col),
    ...number('endColumn', endColumn),
  };
}
