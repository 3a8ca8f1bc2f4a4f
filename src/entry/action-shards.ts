/** One measurement on several runners, as a job matrix has it: a job plans, one job per shard measures, and one decides. */
import { join, resolve } from 'node:path';
import { parseShard } from '../cache/plan-shards.ts';
import type { Config } from '../config/config.ts';
import { UserError } from '../errors.ts';
import type { Shares } from '../pipeline/measurement-shares.ts';
import type { ReportProgress } from '../progress.ts';
import type { ActionHost } from './action-host.ts';
import type { Commands } from './commands.ts';
import type { Files } from './files.ts';

/** `all`: one job does everything. */
export type Mode = 'all' | 'plan' | 'measure' | 'decide';

/** The inputs that a measurement on several runners has besides those of any run; texts as the workflow gives them. */
export type ShardInputs = {
  readonly mode: Mode;
  /** How many shards to plan. */
  readonly shards?: string;
  /** The one to measure, such as 2/8. */
  readonly shard?: string;
  /** The output `plan` of the job that planned. */
  readonly plan?: string;
  /** Where shares are written and read. */
  readonly shareDirectory: string;
};

const MODES_OF = {
  shards: ['plan'],
  shard: ['measure'],
  plan: ['measure', 'decide'],
} as const satisfies Record<string, readonly Mode[]>;

/** @throws UserError with every input that the mode lacks or does not take */
export function checkShardInputs(inputs: ShardInputs): void {
  const { mode } = inputs;
  const idle = Object.entries(MODES_OF).filter(
    ([name, modes]) =>
      inputs[name as keyof typeof MODES_OF] !== undefined && !(modes as readonly Mode[]).includes(mode),
  );
  const needed = mode === 'plan' ? 'shards' : mode === 'measure' ? 'shard' : undefined;
  const problems = [
    ...idle.map(([name, modes]) => ({
      what: `input \`${name}\` means nothing with \`mode: ${mode}\``,
      fix: `remove it, or use it with ${modes.map((each) => `\`mode: ${each}\``).join(' or ')}`,
    })),
    ...(needed !== undefined && inputs[needed] === undefined
      ? [{ what: `\`mode: ${mode}\` needs the input \`${needed}\``, fix: 'see examples/workflows/gpu-matrix.yml' }]
      : []),
  ];
  if (problems.length > 0) throw new UserError(problems);
}

type ShardEffects = {
  readonly host: ActionHost;
  readonly files: Files;
  readonly commands: Commands;
  readonly reportProgress: ReportProgress;
};

/** Leaves the matrix of the jobs that measure, and what they need to make the same plan. */
export async function planShards(config: Config, { shards = '' }: ShardInputs, effects: ShardEffects): Promise<void> {
  const { host, commands, reportProgress } = effects;
  const count = /^\d{1,3}$/.test(shards) ? Number(shards) : Number.NaN;
  if (Number.isNaN(count)) {
    throw new UserError({ what: `input \`shards\` is "${shards}", expected a number of jobs such as 4` });
  }
  const { matrix, token } = await commands.planMeasurement(config, count, reportProgress);
  host.setOutput('matrix', matrix);
  host.setOutput('plan', token);
}

/** Leaves the share of one shard as a file. */
export async function measureShard(config: Config, inputs: ShardInputs, effects: ShardEffects): Promise<void> {
  const { host, files, commands, reportProgress } = effects;
  const task = {
    shard: parseShard(inputs.shard ?? ''),
    ...(inputs.plan === undefined ? {} : { planToken: inputs.plan }),
  };
  const { fileName, content } = await commands.measureShard(config, task, reportProgress);
  const path = join(shareFolder(inputs, host), fileName);
  await files.writeFileAtomically(path, content);
  host.setOutput('share-path', path);
}

/** The shares of all jobs; that one is missing shows when they are put together. */
export async function readShares(inputs: ShardInputs, { host, files }: ShardEffects): Promise<Shares> {
  const folder = shareFolder(inputs, host);
  const isThere = (await files.kindOf(folder)) === 'folder';
  const entries = isThere ? await files.listFolder(folder) : [];
  const names = entries.filter(({ name, kind }) => kind === 'file' && /^share-.*\.jsonl$/.test(name));
  return {
    files: await Promise.all(
      names.map(async ({ name }) => ({ name, bytes: await files.readFile(join(folder, name), MAX_SHARE_BYTES) })),
    ),
    ...(inputs.plan === undefined ? {} : { planToken: inputs.plan }),
  };
}

/** The records of a network of a thousand layers have a tenth of it. */
const MAX_SHARE_BYTES = 256 * 2 ** 20;

function shareFolder({ shareDirectory }: ShardInputs, { workspace }: ActionHost): string {
  return resolve(workspace, shareDirectory);
}
