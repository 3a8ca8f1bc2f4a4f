/** What a run knows already of its measurement, and where it keeps what it measures. Nothing here ever fails a run. */
import type { CachePolicy } from './cache-policy.ts';
import type { CacheStatus } from './cache-status.ts';
import type { GithubRestore, GithubSave, GithubStore } from './github-store.ts';
import type { LocalSet } from './local-set.ts';
import type { LocalStore } from './local-store.ts';
import { encodeRecord, type Measurement, type MeasurementRecord } from './measurement-record.ts';
import { describeRejections, firstOfEachUnit } from './record-lines.ts';
import { selectWanted, type WantedUnit } from './wanted-units.ts';

export type MeasurementCache = {
  /** What was found, and by the end also what went wrong in keeping and saving. */
  readonly status: CacheStatus;
  /** Records of wanted units, with exactly the wanted losses; those that are kept join them. */
  readonly known: ReadonlyMap<string, MeasurementRecord>;
  /** Wants only these from now on: before it is known what is known, it is hard to say what is wanted. */
  narrow(wanted: readonly WantedUnit[]): void;
  /** Keeps a finished unit: it is on the disk when the call returns. */
  keep(measurement: Measurement): Promise<void>;
  /** Keeps what other machines measured, as it is. */
  adopt(records: Iterable<MeasurementRecord>): Promise<void>;
  /** Looks once more in the Actions cache, for what another job saved with exactly these units. */
  lookFor(units: readonly string[]): Promise<void>;
  /** Forgets all that was known, because it is not to be believed. */
  drop(reason: string): Promise<void>;
  /**
   * Saves what is known now for other runs.
   *
   * @param extent only what is `wanted` where others save the rest, so that it can be looked for by its units
   */
  finish(extent?: 'all' | 'wanted'): Promise<void>;
};

export type CacheInput = {
  readonly policy: CachePolicy;
  /** Of the measurement set (measurementKey). */
  readonly key: string;
  /** What a person would call the set. */
  readonly label: string;
  /** `all`: whatever units the set has. */
  readonly wanted: readonly WantedUnit[] | 'all';
};

export type CacheStores = {
  /** On this machine; for the Actions cache it is the checkpoint of the job, in a temporary directory. */
  readonly local: LocalStore;
  /** Needed when the policy is `github`. */
  readonly github?: GithubStore;
  /** Milliseconds since 1970. */
  now(): number;
  /** The machine and the software that measure, for people. */
  readonly environment: string;
};

export async function openMeasurementCache(input: CacheInput, stores: CacheStores): Promise<MeasurementCache> {
  const { policy, key } = input;
  const notes = new Set<string>(policy.notice === undefined ? [] : [policy.notice]);
  const set = policy.store === 'off' ? undefined : await openSet(input, stores.local, notes);
  const kept = set === undefined ? [] : await readSet(set, notes);
  const github = policy.store === 'github' ? stores.github : undefined;
  const wantedUnits = input.wanted === 'all' ? [] : input.wanted.map(({ unit }) => unit);
  const restored = await attempt(() => github?.restore(key, wantedUnits), 'nothing is restored', notes);
  for (const note of restored?.notes ?? []) notes.add(note);
  const fresh = withoutUnitsOf(kept, restored?.records.values() ?? []);
  // A later process that has only this machine's records, as after an interruption, then saves all of them.
  if (fresh.length > 0) await attempt(() => set?.append(fresh), 'restored measurements are not kept here', notes);
  return new OpenCache({ input, stores, set, restored, notes, records: [...kept, ...fresh] });
}

type OpenParts = {
  readonly input: CacheInput;
  readonly stores: CacheStores;
  readonly set: LocalSet | undefined;
  readonly restored: GithubRestore | undefined;
  readonly notes: Set<string>;
  readonly records: readonly MeasurementRecord[];
};

class OpenCache implements MeasurementCache {
  known: Map<string, MeasurementRecord>;
  readonly #parts: OpenParts;
  #wanted: readonly WantedUnit[];
  /** Of all units, also of those that are not wanted now. */
  readonly #all: Map<string, MeasurementRecord>;
  #matchedKey: string | undefined;
  #found: Omit<CacheStatus, 'notes'>;

  constructor(parts: OpenParts) {
    this.#parts = parts;
    this.#all = firstOfEachUnit(parts.records);
    const { wanted } = parts.input;
    this.#wanted = wanted === 'all' ? unitsOf(this.#all.values()) : wanted;
    this.known = selectWanted(this.#wanted, this.#all, parts.notes);
    this.#matchedKey = parts.restored?.matchedKey;
    this.#found = this.#describe();
  }

  get status(): CacheStatus {
    return { ...this.#found, notes: [...this.#parts.notes] };
  }

  narrow(wanted: readonly WantedUnit[]): void {
    this.#wanted = wanted;
    const units = new Set(wanted.map(({ unit }) => unit));
    this.known = new Map([...this.known].filter(([unit]) => units.has(unit)));
    this.#found = this.#describe();
  }

  async keep(measurement: Measurement): Promise<void> {
    const { input, stores, notes } = this.#parts;
    const record = complete(measurement, input.key, stores);
    // Refuses what could not be read back, before it is anywhere.
    const line = await attempt(async () => encodeRecord(record), `the unit ${record.unit} is not kept`, notes);
    if (line !== undefined) await this.#add([record]);
  }

  async adopt(records: Iterable<MeasurementRecord>): Promise<void> {
    await this.#add([...records].filter(({ unit }) => !this.#all.has(unit)));
  }

  async #add(records: readonly MeasurementRecord[]): Promise<void> {
    const { set, notes } = this.#parts;
    for (const record of records) {
      this.#all.set(record.unit, record);
      this.known.set(record.unit, record);
    }
    if (records.length > 0) await attempt(() => set?.append(records), 'units are not kept on this machine', notes);
  }

  async lookFor(units: readonly string[]): Promise<void> {
    const { input, stores, notes } = this.#parts;
    if (input.policy.store !== 'github') return;
    const restored = await attempt(() => stores.github?.restore(input.key, units), 'nothing is restored', notes);
    for (const note of restored?.notes ?? []) notes.add(note);
    await this.adopt(restored?.records.values() ?? []);
    this.known = selectWanted(this.#wanted, this.#all, notes);
    this.#matchedKey ??= restored?.matchedKey;
    this.#found = this.#describe();
  }

  async drop(reason: string): Promise<void> {
    const { set, notes } = this.#parts;
    notes.add(`what was known is dropped: ${reason}`);
    this.#all.clear();
    this.known.clear();
    this.#matchedKey = undefined;
    this.#found = this.#describe();
    await attempt(() => set?.drop(), 'what was known stays on this machine', notes);
  }

  async finish(extent: 'all' | 'wanted' = 'all'): Promise<void> {
    const { input, stores, set, notes } = this.#parts;
    await attempt(() => set?.tidy(), 'the kept measurements are not tidied up', notes);
    if (input.policy.store !== 'github') return;
    const records = extent === 'all' ? this.#all : this.known;
    const save = () => stores.github?.save(input.key, [...records.values()], this.#matchedKey);
    const saved = await attempt(save, 'the measurements are not saved', notes);
    for (const note of saved?.notes ?? []) notes.add(note);
  }

  #describe(): Omit<CacheStatus, 'notes'> {
    const { input, stores, restored } = this.#parts;
    const { store } = input.policy;
    const counts = { store, knownUnits: this.known.size, wantedUnits: this.#wanted.length };
    if (store === 'off') return { ...counts, status: 'off' };
    const isDenied = restored?.outcome === 'denied';
    if (this.known.size === 0 && this.#wanted.length > 0) return { ...counts, status: isDenied ? 'denied' : 'miss' };
    const matchedKey = store === 'local' ? input.key : this.#matchedKey;
    return {
      ...counts,
      status: this.known.size === this.#wanted.length ? 'hit' : 'partial',
      ...(matchedKey === undefined ? {} : { matchedKey }),
      ...ageOf([...this.known.values()], stores.now()),
    };
  }
}

function unitsOf(records: Iterable<MeasurementRecord>): WantedUnit[] {
  return [...records].map(({ unit, losses }) => ({ unit, lossNames: Object.keys(losses) }));
}

function ageOf(records: readonly MeasurementRecord[], now: number): Pick<CacheStatus, 'ageSeconds'> {
  if (records.length === 0) return {};
  const newest = records.reduce((latest, { measuredAt }) => Math.max(latest, Date.parse(measuredAt)), 0);
  // The clock of another machine may be ahead.
  return { ageSeconds: Math.max(0, (now - newest) / 1000) };
}

/**
 * Saves what an interrupted job kept, from a later process.
 *
 * @returns how many units that were, and what became of them
 */
export async function saveKept(
  { key, label }: Pick<CacheInput, 'key' | 'label'>,
  { local, github }: { readonly local: LocalStore; readonly github: GithubStore },
): Promise<GithubSave & { readonly unitCount: number }> {
  const notes = new Set<string>();
  const set = await openSet({ key, label }, local, notes);
  const records = set === undefined ? [] : await readSet(set, notes);
  const saved = await github.save(key, records);
  return { ...saved, notes: [...notes, ...saved.notes], unitCount: records.length };
}

function openSet(
  { key, label }: Pick<CacheInput, 'key' | 'label'>,
  local: LocalStore,
  notes: Set<string>,
): Promise<LocalSet | undefined> {
  return attempt(() => local.open(key, label), 'measurements are not kept on this machine', notes);
}

async function readSet(set: LocalSet, notes: Set<string>): Promise<readonly MeasurementRecord[]> {
  const read = await attempt(() => set.read(), 'kept measurements are not used', notes);
  if (read === undefined) return [];
  for (const note of describeRejections(read.rejections, 'on this machine')) notes.add(note);
  return [...read.records.values()];
}

/** A cache that does not work is said once and worked without. */
async function attempt<Result>(
  work: () => Promise<Result> | undefined,
  consequence: string,
  notes: Set<string>,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    notes.add(`${consequence}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function withoutUnitsOf(
  kept: readonly MeasurementRecord[],
  restored: Iterable<MeasurementRecord>,
): readonly MeasurementRecord[] {
  const units = new Set(kept.map(({ unit }) => unit));
  return [...restored].filter(({ unit }) => !units.has(unit));
}

function complete(measurement: Measurement, key: string, { now, environment }: CacheStores): MeasurementRecord {
  return {
    schemaVersion: 1,
    key,
    ...measurement,
    measuredAt: new Date(now()).toISOString(),
    environment: plain(environment),
  };
}

/** What the schema of records allows: visible ASCII without brackets. */
function plain(text: string): string {
  return text.replace(/[^ -Z^-z|~]/g, '_').slice(0, 256);
}
