/** What every workflow of this repository keeps to; each rule closes a known hole in the supply chain of GitHub Actions. */
import { isMap, isScalar, isSeq, type Node, parseDocument, visit } from 'yaml';

/** The problems of one workflow file; none when it keeps all rules. */
export function findWorkflowProblems(text: string): string[] {
  const document = parseDocument(text);
  if (document.errors.length > 0) return document.errors.map(({ message }) => message);
  const workflow = document.toJS() as Workflow;
  return [
    ...findTriggerProblems(workflow),
    ...findPermissionProblems(workflow),
    ...findJobProblems(workflow),
    ...findPinProblems(text),
    ...findExpressionProblems(document.contents),
  ];
}

type Workflow = {
  readonly on?: unknown;
  readonly permissions?: unknown;
  readonly jobs?: Readonly<Record<string, Job>>;
};
type Job = { readonly 'timeout-minutes'?: number; readonly uses?: string; readonly steps?: readonly Step[] };
type Step = { readonly uses?: string; readonly with?: Readonly<Record<string, unknown>> };

/** These run with the repository's own rights on what a stranger sent. */
const PRIVILEGED_TRIGGERS = ['pull_request_target', 'workflow_run'];

function findTriggerProblems({ on }: Workflow): string[] {
  const names = typeof on === 'string' ? [on] : Array.isArray(on) ? on.map(String) : Object.keys(on ?? {});
  return names.filter((name) => PRIVILEGED_TRIGGERS.includes(name)).map((name) => `runs on ${name}`);
}

/** A job that needs more asks for it by itself, where a reviewer sees what for. */
function findPermissionProblems({ permissions }: Workflow): string[] {
  const isLeast = JSON.stringify(permissions) === '{"contents":"read"}' || JSON.stringify(permissions) === '{}';
  return isLeast ? [] : ['top-level permissions are not `contents: read`'];
}

function findJobProblems({ jobs = {} }: Workflow): string[] {
  return Object.entries(jobs).flatMap(([name, job]) => [
    ...(job.uses === undefined && job['timeout-minutes'] === undefined ? [`job ${name} has no timeout-minutes`] : []),
    ...(job.steps ?? []).filter(keepsCredentials).map(() => `job ${name} checks out with persist-credentials`),
  ]);
}

/** A checkout leaves its token on disk for every later step unless told not to. */
function keepsCredentials(step: Step): boolean {
  return /^actions\/checkout@/.test(step.uses ?? '') && step.with?.['persist-credentials'] !== false;
}

/** A tag can be moved to other code; a commit cannot. The comment says which release the commit is. */
const PINNED = /^[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d+(\.\d+)*$/;

function findPinProblems(text: string): string[] {
  const references = [...text.matchAll(/^[ -]*uses:\s*(.+?)\s*$/gm)].map(([, reference]) => reference!);
  return references
    .filter((reference) => !reference.startsWith('./') && !PINNED.test(reference))
    .map((reference) => `not pinned by commit and version: ${reference}`);
}

/** An expression is pasted into a script before the shell reads it: a branch name can be a command. Use `env` instead. */
function findExpressionProblems(contents: Node | null): string[] {
  const problems: string[] = [];
  visit(contents, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || key.value !== 'run' || isMap(value) || isSeq(value)) return;
      const script = isScalar(value) ? String(value.value) : '';
      if (script.includes('${{')) problems.push(`an expression in a script: ${script.trim().split('\n')[0]}`);
    },
  });
  return problems;
}
