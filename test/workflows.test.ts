import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
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
