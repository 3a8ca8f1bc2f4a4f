import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findWorkflowProblems } from './workflow-rules.ts';

const ROOT = resolve(import.meta.dirname, '..');
const workflows = ['.github/workflows', 'examples/workflows'].flatMap(listWorkflows);

function listWorkflows(folder: string): string[] {
  if (!existsSync(`${ROOT}/${folder}`)) return [];
  return readdirSync(`${ROOT}/${folder}`)
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => `${folder}/${name}`);
}

describe('workflows', () => {
  it('exist', () => {
    expect(workflows).toContain('.github/workflows/ci.yml');
  });

  it.each(workflows)('%s: pinned actions, least permissions, no expression in a script', (path) => {
    expect(findWorkflowProblems(readFileSync(`${ROOT}/${path}`, 'utf8'))).toEqual([]);
  });
});

/** Every step that uses this action, here or as others name it. */
function stepsWithAction(text: string): readonly { readonly with?: Readonly<Record<string, unknown>> }[] {
  const { jobs } = parse(text) as {
    jobs: Record<string, { steps: { uses?: string; with?: Record<string, unknown> }[] }>;
  };
  return Object.values(jobs)
    .flatMap(({ steps }) => steps)
    .filter(({ uses }) => uses === './' || uses?.startsWith('owner/bitgate@'));
}

describe('examples/workflows', () => {
  const inputs = Object.keys(parse(readFileSync(`${ROOT}/action.yml`, 'utf8')).inputs);
  const examples = workflows.filter((path) => path.startsWith('examples/'));

  it('are for pull requests, releases, nights and several cards', () => {
    expect(examples.sort()).toEqual(
      ['gpu-matrix', 'nightly', 'pull-request', 'release'].map((name) => `examples/workflows/${name}.yml`),
    );
  });

  it.each(examples)('%s: gives the action inputs that it has, or says first which it has not', (path) => {
    const text = readFileSync(`${ROOT}/${path}`, 'utf8');
    const steps = stepsWithAction(text);
    expect(steps.length).toBeGreaterThan(0);
    const given = new Set(steps.flatMap((step) => Object.keys(step.with ?? {})));
    const missing = [...given].filter((name) => !inputs.includes(name)).sort();
    const announced = /^# Needs inputs that bitgate has not yet: (.+)\.\n/.exec(text)?.[1]?.split(', ') ?? [];
    expect(missing).toEqual(announced);
  });

  it('release: the job that may write runs nothing of the model', () => {
    const { jobs } = parse(readFileSync(`${ROOT}/examples/workflows/release.yml`, 'utf8'));
    expect(jobs.gate.permissions).toBeUndefined();
    expect(JSON.stringify(jobs.publish)).not.toContain('bitgate@');
  });
});

// biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of GitHub Actions.
const EXPRESSION = '${{ github.head_ref }}';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const GOOD = `
on: [push, pull_request]
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@${COMMIT} # v7.0.1
        with:
          persist-credentials: false
      - uses: ./
      - run: npm cit
`;

describe('findWorkflowProblems', () => {
  it('passes a workflow that keeps all rules', () => {
    expect(findWorkflowProblems(GOOD)).toEqual([]);
  });

  const PIN = 'not pinned by commit and version:';
  it.each([
    ['a tag', `@${COMMIT} # v7.0.1`, '@v7', `${PIN} actions/checkout@v7`],
    ['a short commit', COMMIT, '0123456', `${PIN} actions/checkout@0123456 # v7.0.1`],
    ['no version', ' # v7.0.1', '', `${PIN} actions/checkout@${COMMIT}`],
    ['write permission', 'contents: read', 'contents: write', 'top-level permissions are not `contents: read`'],
    ['no permissions', 'permissions:\n  contents: read\n', '', 'top-level permissions are not `contents: read`'],
    ['kept credentials', 'credentials: false', 'credentials: true', 'job test checks out with persist-credentials'],
    ['no word on credentials', / +with:\n.*\n/, '', 'job test checks out with persist-credentials'],
    ['no time limit', '    timeout-minutes: 5\n', '', 'job test has no timeout-minutes'],
    ['a privileged trigger', 'pull_request]', 'pull_request_target]', 'runs on pull_request_target'],
    ['an expression', 'npm cit', `echo ${EXPRESSION}`, `an expression in a script: echo ${EXPRESSION}`],
  ])('refuses %s', (_, found, replacement, problem) => {
    const changed = GOOD.replace(found, () => replacement);
    expect(changed).not.toBe(GOOD);
    expect(findWorkflowProblems(changed)).toEqual([problem]);
  });
});
