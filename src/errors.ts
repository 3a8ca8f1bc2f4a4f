/** A place in a file the user wrote; line and column count from 1. */
export type SourceLocation = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine?: number;
  readonly endColumn?: number;
};

/** One thing the user can repair: what was found and expected, where, and how to repair it. */
export type Problem = {
  readonly what: string;
  /** A place in a file, or a file name alone. */
  readonly where?: SourceLocation | string;
  readonly fix?: string;
};

/** The config, the data, the budget or the model cannot be used as it is: exit code 2. */
export class UserError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: Problem | readonly Problem[], options?: ErrorOptions) {
    const list = Array.isArray(problems) ? (problems as readonly Problem[]) : [problems as Problem];
    super(list.map(renderProblem).join('\n'), options);
    this.name = 'UserError';
    this.problems = list;
  }
}

/** A valid model that bitgate does not handle; the problem names node, operator, domain, opset or data type: exit code 2. */
export class UnsupportedModelError extends UserError {
  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem, options);
    this.name = 'UnsupportedModelError';
  }
}

/** "file:line:column: what" and, on a line of its own, the fix. */
export function renderProblem({ what, where, fix }: Problem): string {
  const place = where === undefined ? '' : `${renderPlace(where)}: `;
  return `${place}${what}${fix === undefined ? '' : `\n  fix: ${fix}`}`;
}

function renderPlace(where: SourceLocation | string): string {
  return typeof where === 'string' ? where : `${where.file}:${where.line}:${where.column}`;
}
