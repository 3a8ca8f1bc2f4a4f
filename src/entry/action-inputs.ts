/** The inputs of the action (action.yml), read once. */
import { resolve } from 'node:path';
import type { ConfigOverrides } from '../config/overrides.ts';
import { type Problem, UserError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import type { ActionHost } from './action-host.ts';
import { checkShardOptions, type FaceWords, MODES, type ShardOptions } from './sharding.ts';

export type ActionInputs = {
  readonly configPath: string;
  readonly overrides: ConfigOverrides & { readonly workingDirectory: string };
  /** Whether pull requests of forks may run on a self-hosted runner. */
  readonly allowFork: boolean;
  /** Whose limits count: those of the commit that runs, or those of the branch it is for. */
  readonly policyRef: PolicyRef;
  readonly comment: CommentMode;
  readonly githubToken?: string;
  readonly sharding: ShardOptions;
};

export type PolicyRef = 'head' | 'base';
export type CommentMode = 'off' | 'on-failure' | 'always';

const SWITCH = ['true', 'false'] as const;
const POLICY_REFS = ['head', 'base'] as const satisfies PolicyRef[];
const COMMENT_MODES = ['off', 'on-failure', 'always'] as const satisfies CommentMode[];

export const ACTION_WORDS: FaceWords = {
  name: (option) => `input \`${option}\``,
  help: 'see examples/workflows/gpu-matrix.yml',
};

/** @throws UserError with every input that is not one of its words */
export function readActionInputs(host: ActionHost): ActionInputs {
  const problems: Problem[] = [];
  const oneOf = <Word extends string>(name: string, words: readonly Word[], otherwise: Word): Word => {
    const given = host.input(name);
    const word = words.find((known) => known === (given ?? otherwise));
    if (word !== undefined) return word;
    const near = nearestName(given!, words);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    problems.push({ what: `input \`${name}\` is "${given}", expected one of ${words.join(', ')}${hint}` });
    return otherwise;
  };
  const githubToken = host.input('github-token');
  const inputs: ActionInputs = {
    configPath: host.input('config') ?? 'bitgate.yml',
    overrides: readOverrides(host),
    allowFork: oneOf('allow-fork', SWITCH, 'false') === 'true',
    policyRef: oneOf('policy-ref', POLICY_REFS, 'head'),
    comment: oneOf('comment', COMMENT_MODES, 'off'),
    ...(githubToken === undefined ? {} : { githubToken }),
    sharding: {
      mode: oneOf('mode', MODES, 'all'),
      ...present({
        shards: host.input('shards'),
        shard: host.input('shard'),
        plan: host.input('plan'),
        shareDirectory: host.input('share-dir'),
      }),
    },
  };
  if (problems.length > 0) throw new UserError(problems);
  checkShardOptions(inputs.sharding, ACTION_WORDS);
  return inputs;
}

/** Folders besides the workspace that a config may name, one a line. */
export function readAllowedPaths(host: ActionHost): readonly string[] {
  const lines = (host.input('allow-paths') ?? '').split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').map((line) => resolve(host.workspace, line));
}

function readOverrides(host: ActionHost): ActionInputs['overrides'] {
  const inputs = {
    model: host.input('model'),
    output: host.input('output'),
    size: host.input('size'),
    bitsPerWeight: host.input('bits-per-weight'),
    method: host.input('method'),
    reportDirectory: host.input('report-dir'),
    cache: host.input('cache'),
    cacheDirectory: host.input('cache-dir'),
    device: host.input('device'),
    runtimePath: host.input('runtime-path'),
    allowDownload: host.input('allow-download'),
  };
  return {
    ...present(inputs),
    workingDirectory: host.workspace,
    nameOption: ACTION_WORDS.name,
  };
}

function present<Name extends string>(inputs: Record<Name, string | undefined>): Partial<Record<Name, string>> {
  const given = Object.entries(inputs).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<Record<Name, string>>;
}
