/** One measurement on several machines, for both faces: one plans, one per shard measures, and one decides. */
import { join } from 'node:path';
import { parseShard } from '../cache/plan-shards.ts';
import type { Config } from '../config/config.ts';
import { UserError } from '../errors.ts';
import type { Shares } from '../pipeline/measurement-shares.ts';
import type { ReportProgress } from '../progress.ts';
import type { PlannedMeasurement } from '../shards.ts';
import type { Commands } from './commands.ts';
import type { Files } from './files.ts';

/** `all`: one machine does everything. */
export type Mode = 'all' | 'plan' | 'measure' | 'decide';

export const MODES = ['all', 'plan', 'measure', 'decide'] as const satisfies Mode[];

/** What a measurement on several machines is told besides what any run is; texts as they are given. */
export type ShardOptions = {
  readonly mode: Mode;
  /** How many shards to plan. */
  readonly shards?: string;
  /** The one to measure, such as 2/8. */
  readonly shard?: string;
  /** What the plan says that all have in common. */
  readonly plan?: string;
  /** Where shares are written and read, relative to where the run starts; SHARE_FOLDER when absent. */
  readonly shareDirectory?: string;
};

export const SHARE_FOLDER = 'bitgate-shares';

/** How a face names its options, and where it explains them. */
export type FaceWords = { name(option: string): string; readonly help: string };

const MODES_OF = {
  shards: ['plan'],
  shard: ['measure'],
  plan: ['measure', 'decide'],
  'share-dir': ['measure', 'decide'],
} as const satisfies Record<string, readonly Mode[]>;

/** @throws UserError with every option that the mode lacks or does not take */
export function checkShardOptions(options: ShardOptions, { name, help }: FaceWords): void {
  const { mode, shareDirectory, ...named } = options;
  const given: Readonly<Record<string, string | undefined>> = { ...named, 'share-dir': shareDirectory };
  const idle = Object.entries(MODES_OF).filter(
    ([option, modes]) => given[option] !== undefined && !(modes as readonly Mode[]).includes(mode),
  );
  const needed = mode === 'plan' ? 'shards' : mode === 'measure' ? 'shard' : undefined;
  const problems = [
    ...idle.map(([option, modes]) => ({
      what: `${name(option)} means nothing with ${name('mode')} ${mode}`,
      fix: `remove it, or use it with ${modes.map((each) => `${name('mode')} ${each}`).join(' or ')}`,
    })),
    ...(needed !== undefined && given[needed] === undefined
      ? [{ what: `${name('mode')} ${mode} needs ${name(needed)}`, fix: help }]
      : []),
  ];
  if (problems.length > 0) throw new UserError(problems);
}

export type ShardEffects = {
  readonly files: Files;
  readonly commands: Commands;
  readonly reportProgress: ReportProgress;
};

/** @throws UserError if the number of shards is none */
export async function planShards(
  config: Config,
  { shards = '' }: ShardOptions,
  { name }: FaceWords,
  { commands, reportProgress }: ShardEffects,
): Promise<PlannedMeasurement> {
  if (!/^\d{1,3}$/.test(shards)) {
    throw new UserError({ what: `${name('shards')} is "${shards}", expected a number of machines such as 4` });
  }
  return commands.planMeasurement(config, Number(shards), reportProgress);
}

/** Measures one shard and leaves its share in the folder; returns the path of the file. */
export async function measureShard(
  config: Config,
  { shard = '', plan }: ShardOptions,
  folder: string,
  { files, commands, reportProgress }: ShardEffects,
): Promise<string> {
  const task = { shard: parseShard(shard), ...(plan === undefined ? {} : { planToken: plan }) };
  const { fileName, content } = await commands.measureShard(config, task, reportProgress);
  const path = join(folder, fileName);
  await files.writeFileAtomically(path, content);
  return path;
}

/** The records of a network of a thousand layers have a tenth of it. */
const MAX_SHARE_BYTES = 256 * 2 ** 20;

/** The shares in a folder; that one is missing shows when they are put together. */
export async function readShares(
  { plan }: ShardOptions,
  folder: string,
  { files }: Pick<ShardEffects, 'files'>,
): Promise<Shares> {
  const isThere = (await files.kindOf(folder)) === 'folder';
  const entries = isThere ? await files.listFolder(folder) : [];
  const names = entries.filter(({ name, kind }) => kind === 'file' && /^share-.*\.jsonl$/.test(name));
  return {
    files: await Promise.all(
      names.map(async ({ name }) => ({ name, bytes: await files.readFile(join(folder, name), MAX_SHARE_BYTES) })),
    ),
    ...(plan === undefined ? {} : { planToken: plan }),
  };
}
