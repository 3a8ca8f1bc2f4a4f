import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRecord, parseRecord } from '../../src/cache/measurement-record.ts';
import { searchSecondsOf } from '../../src/pipeline/search-time.ts';
import { bitgate } from './bitgate.ts';
import { createFolder, readResult, removeFolder, type Settings, writeConfig } from './workspace.ts';

/** The search is left to the run. */
const AUTO: Settings = { quantize: { bits: [2, 4] }, search: { 'time-limit': 'auto' }, gate: { min: 0 } };

let folder: string;

async function run(changes: Settings = {}) {
  writeConfig(folder, { ...AUTO, ...changes });
  const { exitCode, stderr } = await bitgate(['run'], folder);
  const { selection, sensitivity, warnings } = readResult(folder);
  const artifact = readFileSync(join(folder, 'out/quantized.onnx')).toString('base64');
  return {
    exitCode,
    stderr,
    names: selection?.candidates.map(({ name }) => name) ?? [],
    artifact,
    sensitivity,
    warnings,
  };
}

type ChoiceFile = { readonly path: string; readonly text: string };

/** The files with records of choices, as they are now. */
function choiceFiles(): ChoiceFile[] {
  const names = readdirSync(join(folder, 'cache'), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => join(folder, 'cache', name))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
    .filter(({ text }) => text.includes('"unit":"allocation='));
}

/** Of all choices the one of this file, with a well-formed record of another allocation. */
function keepInstead({ path, text }: ChoiceFile, change: (allocation: string) => string): void {
  const line = text.split('\n').find((each) => each.includes('"unit":"allocation='))!;
  const parsed = parseRecord(line, JSON.parse(line).key);
  if (parsed.kind === 'rejected') throw new Error(parsed.reason);
  for (const file of choiceFiles()) rmSync(file.path);
  const unit = `allocation=${change(parsed.record.unit.slice('allocation='.length))}`;
  writeFileSync(path, text.replace(line, encodeRecord({ ...parsed.record, unit })));
}

describe('what was chosen before', () => {
  let first: Awaited<ReturnType<typeof run>>;
  let kept: ChoiceFile;

  beforeAll(async () => {
    folder = createFolder();
    first = await run();
    [kept] = choiceFiles() as [ChoiceFile];
  });

  afterAll(() => removeFolder(folder));

  it('is the answer to the same question, to the byte, whatever time a second run has', async () => {
    expect([first.exitCode, first.sensitivity.cache]).toEqual([0, 'miss']);
    expect(first.names.length).toBeGreaterThan(1);
    const second = await run({ gate: { 'max-drop': 1 } });
    expect(second.sensitivity.cache).toBe('hit');
    expect(second.names).toEqual(['an earlier run']);
    expect(second.warnings).toEqual([]);
    expect(second.artifact).toBe(first.artifact);
  });

  it.each([
    ['of too many bytes', (allocation: string) => allocation.replaceAll(':2', ':4')],
    ['of a width that is not offered', (allocation: string) => allocation.replace(/:\d/, ':3')],
    ['that lacks a layer', (allocation: string) => allocation.replace(/,[^,]*$/, '')],
    ['that names a layer twice', (allocation: string) => allocation.replace(/,[^,]*$/, ',0:2')],
    ['that is none', () => 'x'],
  ])('is not believed where it is an allocation %s', async (_, change) => {
    keepInstead(kept, change);
    const { exitCode, names } = await run();
    expect(exitCode).toBe(0);
    expect(names).not.toContain('an earlier run');
    // What is chosen instead is kept beside it.
    expect((await run()).names).toEqual(['an earlier run']);
  });

  it('does not count where losses were measured anew, and then gives way', async () => {
    const other = (allocation: string) => allocation.replaceAll(':4', ':2');
    keepInstead(kept, other);
    expect((await run()).names).toEqual(['an earlier run']);
    const files = readdirSync(join(folder, 'cache'), { recursive: true, encoding: 'utf8' });
    for (const name of files.filter((each) => each.endsWith('.jsonl'))) {
      const path = join(folder, 'cache', name);
      if (!readFileSync(path, 'utf8').includes('"unit":"allocation=')) rmSync(path);
    }
    const anew = await run();
    expect([anew.sensitivity.cache, anew.artifact === first.artifact]).toEqual(['miss', true]);
    expect(anew.names).not.toContain('an earlier run');
    const again = await run();
    expect([again.names, again.artifact === first.artifact]).toEqual([['an earlier run'], true]);
  });

  it('does not count where the config names a time, or asks something else', async () => {
    const longer = await run({ search: { 'time-limit': 50 } });
    expect(longer.names).not.toContain('an earlier run');
    const smaller = await run({ budget: { bits: 2.5 } });
    expect(smaller.sensitivity.cache).toBe('hit');
    expect(smaller.names).not.toContain('an earlier run');
  });
});

describe('searchSecondsOf', () => {
  const kept = (hadAll: boolean) => ({ kept: { key: 'k', hadAll } });

  it.each([
    ['a time that the config names', 7, kept(true), 7],
    ['no search', 0, kept(false), 0],
    ['auto where nothing is kept on this machine', 'auto', {}, 60],
    ['auto where something was missing', 'auto', kept(false), 60],
    ['auto where all was there', 'auto', kept(true), 3],
  ] as const)('searchSecondsOf: %s', (_, timeLimitSeconds, measured, expected) => {
    expect(searchSecondsOf({ timeLimitSeconds }, measured)).toBe(expected);
  });
});
