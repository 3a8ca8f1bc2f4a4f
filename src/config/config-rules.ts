/** What a schema cannot say: settings that fit the metric, sizes that are sizes, paths that do not collide. */
import { resolve } from 'node:path';
import type { Problem } from '../errors.ts';
import { describeFound, renderPath } from '../schema-words.ts';
import { parseByteSize } from './byte-size.ts';
import { findConstraintProblems } from './constraint-rules.ts';
import { parseDuration } from './duration.ts';
import { findMetricProblems, isLoss, type Read } from './metric-rules.ts';
import { type AppliedOverrides, parseSize } from './overrides.ts';
import type { ValuePath, YamlDocument } from './yaml-document.ts';

/** Checks the rules that need more than a schema. What has the wrong type is passed over: the schema speaks of that. */
export function findRuleProblems(
  document: YamlDocument,
  directory: string,
  applied: AppliedOverrides,
): readonly Problem[] {
  const read: Read = (path) => readValue(document.value, path);
  return [
    ...findMetricProblems(document, read),
    ...findIdleWarnings(document, read),
    ...findSizeProblems(document, read),
    ...findAutoProblems(document, read, applied),
    ...findDurationProblems(document, read),
    ...findChannelProblems(document, read),
    ...findActivationProblems(document, read),
    ...findExternalProblems(document, read, applied),
    ...findAllocationProblems(document, read, applied),
    ...findConstraintProblems(document, read(['constraints'])),
    ...findPathProblems(document, read, directory, applied),
  ];
}

function readValue(value: unknown, path: ValuePath): unknown {
  return path.reduce<unknown>((at, key) => {
    const isHolder = typeof at === 'object' && at !== null && Object.hasOwn(at, key);
    return isHolder ? (at as Readonly<Record<string, unknown>>)[key] : undefined;
  }, value);
}

/** A warning that is no stricter than the limit itself would never be seen. */
function findIdleWarnings(document: YamlDocument, read: Read): readonly Problem[] {
  const sizeAt = (path: ValuePath) => {
    const size = read(path);
    return typeof size === 'string' || typeof size === 'number' ? parseByteSize(size) : undefined;
  };
  return ['min', 'max', 'max-drop', 'max-size'].flatMap((key) => {
    const numberAt = key === 'max-size' ? sizeAt : read;
    const [warn, limit] = [numberAt(['gate', 'warn', key]), numberAt(['gate', key])];
    if (typeof warn !== 'number' || typeof limit !== 'number') return [];
    if (key === 'min' ? warn > limit : warn < limit) return [];
    const what = `\`gate.warn.${key}\` is no stricter than \`gate.${key}\`, so it would never warn`;
    const fix = `set it ${key === 'min' ? 'above' : 'below'} \`gate.${key}\`, or remove it`;
    return [{ what, where: document.locate(['gate', 'warn', key]), fix }];
  });
}

/** Texts that look like sizes and are none: less than a byte, more than 100 %, too large to count. */
function findSizeProblems(document: YamlDocument, read: Read): readonly Problem[] {
  const refuse = (path: ValuePath, isSize: (size: string) => boolean, expected: string): readonly Problem[] => {
    const size = read(path);
    if (typeof size !== 'string' || isSize(size)) return [];
    const what = `\`${renderPath(path)}\` is ${describeFound(size)}, expected ${expected}`;
    return [{ what, where: document.locate(path) }];
  };
  return [
    ...refuse(['budget', 'size'], (size) => parseSize(size) !== undefined, 'at least 1 byte and at most 100%'),
    ...refuse(['gate', 'max-size'], (size) => parseByteSize(size) !== undefined, 'at least 1 byte'),
    ...refuse(['gate', 'warn', 'max-size'], (size) => parseByteSize(size) !== undefined, 'at least 1 byte'),
    ...refuse(['memory-limit'], (size) => parseByteSize(size) !== undefined, 'at least 1 byte'),
  ];
}

/** The smallest model that passes is the smallest of all where nothing limits the accuracy. */
function findAutoProblems(document: YamlDocument, read: Read, applied: AppliedOverrides): readonly Problem[] {
  const place = [['budget'], ['budget', 'size']].find((path) => read(path) === 'auto');
  const isAuto = applied.budget === undefined ? place !== undefined : applied.budget.kind === 'auto';
  if (!isAuto || ['min', 'max', 'max-drop'].some((key) => read(['gate', key]) !== undefined)) return [];
  const where = applied.budget === undefined ? { where: document.locate(place!) } : {};
  const what = 'the budget is auto, the smallest model that passes the gate, and the gate has no limit on the accuracy';
  const limits = isLoss(read) ? '`gate.max`' : '`gate.min`';
  return [{ what, ...where, fix: `set \`gate.max-drop\` or ${limits}, or name a size` }];
}

function findDurationProblems(document: YamlDocument, read: Read): readonly Problem[] {
  const settings = [
    { path: ['sensitivity', 'time-limit'], word: undefined },
    { path: ['search', 'time-limit'], word: 'auto' },
    { path: ['evaluate', 'time-limit'], word: undefined },
  ];
  return settings.flatMap(({ path, word }) => {
    const time = read(path);
    if ((typeof time !== 'string' && typeof time !== 'number') || parseDuration(time) !== undefined) return [];
    if (time === word) return [];
    const expected = `${word === undefined ? '' : `${word}, or `}a time such as 90 (seconds), "90s", "10m" or "2h"`;
    const what = `\`${renderPath(path)}\` is ${describeFound(time)}, expected ${expected}`;
    return [{ what, where: document.locate(path) }];
  });
}

function findChannelProblems(document: YamlDocument, read: Read): readonly Problem[] {
  const mean = read(['data', 'preprocess', 'mean']);
  const std = read(['data', 'preprocess', 'std']);
  if (!Array.isArray(mean) || !Array.isArray(std) || mean.length === std.length) return [];
  const what = `\`data.preprocess.std\` has ${std.length} numbers where \`mean\` has ${mean.length}, expected as many`;
  return [{ what, where: document.locate(['data', 'preprocess', 'std']), fix: 'give one number per channel in both' }];
}

/** Integer kernels take eight-bit weights beside eight-bit activations. */
function findActivationProblems(document: YamlDocument, read: Read): readonly Problem[] {
  const path = ['quantize', 'activations'];
  if (read(path) === undefined) return [];
  const where = document.locateKey(path);
  const problems: Problem[] = [];
  if (read(['quantize', 'format']) !== 'qdq') {
    problems.push({ what: '`quantize.activations` needs the format qdq', where, fix: 'set `quantize.format: qdq`' });
  }
  const bits = read(['quantize', 'bits']);
  if (!Array.isArray(bits) || bits.some((width) => width !== 8)) {
    problems.push({ what: '`quantize.activations` needs weights of 8 bits', where, fix: 'set `quantize.bits: [8]`' });
  }
  return problems;
}

/** The method external and the path of its file come together; `--method` may leave a path idle, or make use of one. */
function findExternalProblems(document: YamlDocument, read: Read, applied: AppliedOverrides): readonly Problem[] {
  const [method, path] = [read(['sensitivity', 'method']), read(['sensitivity', 'path'])];
  if (path === undefined && (applied.method ?? method) === 'external') {
    const where = applied.method === undefined ? { where: document.locate(['sensitivity', 'method']) } : {};
    const what = 'the method external reads sensitivities from a file, and `sensitivity.path` names none';
    return [{ what, ...where, fix: 'set `sensitivity.path`, or name a method that measures' }];
  }
  if (path === undefined || method === 'external' || applied.method === 'external') return [];
  const what = '`sensitivity.path` is read only with the method external';
  const fix = 'set `sensitivity.method: external`, or remove the path';
  return [{ what, where: document.locateKey(['sensitivity', 'path']), fix }];
}

/** An allocation that is given cannot be made smaller, and has no use for sensitivities. */
function findAllocationProblems(document: YamlDocument, read: Read, applied: AppliedOverrides): readonly Problem[] {
  const path = ['quantize', 'allocation'];
  if (read(path) === undefined) return [];
  const where = document.locateKey(path);
  const problems: Problem[] = [];
  const isAuto = [['budget'], ['budget', 'size']].some((budget) => read(budget) === 'auto');
  if (applied.budget === undefined ? isAuto : applied.budget.kind === 'auto') {
    const what = 'the budget is auto, which chooses the widths that `quantize.allocation` gives';
    problems.push({ what, where, fix: 'name a size or no budget, or remove the allocation' });
  }
  if ((applied.method ?? read(['sensitivity', 'method'])) === 'external') {
    const what = 'the method external serves a choice of widths, and `quantize.allocation` leaves none';
    problems.push({ what, where, fix: 'remove one of the two' });
  }
  const hasBudget = (applied.budget ?? read(['budget'])) !== undefined;
  const hasLimit = ['min', 'max', 'max-drop', 'max-size'].some((key) => read(['gate', key]) !== undefined);
  // Of other metrics it is checked at least that all outputs are numbers.
  if (!hasBudget && !hasLimit && read(['gate', 'metric']) === 'command') {
    const what =
      '`quantize.allocation` without a budget, a command for a metric and no limit: nothing would be checked';
    problems.push({ what, where, fix: 'set a budget, or a limit under `gate`' });
  }
  return problems;
}

/** Of the cost tables. */
function tablePaths(read: Read, pathAt: (path: ValuePath) => string | undefined) {
  const constraints = read(['constraints']);
  return Array.isArray(constraints) ? constraints.map((_, index) => pathAt(['constraints', index, 'costs'])) : [];
}

function findPathProblems(
  document: YamlDocument,
  read: Read,
  directory: string,
  applied: AppliedOverrides,
): readonly Problem[] {
  const pathAt = (path: ValuePath) => {
    const text = read(path);
    return typeof text === 'string' ? resolve(directory, text) : undefined;
  };
  const calibration = pathAt(['data', 'calibration', 'path']);
  const evaluation = pathAt(['data', 'evaluation', 'path']);
  const output = applied.outputPath ?? pathAt(['output']);
  const files = [
    ['sensitivity', 'path'],
    ['quantize', 'allocation'],
  ].map(pathAt);
  const inputs = [
    applied.modelPath ?? pathAt(['model']),
    calibration,
    evaluation,
    ...files,
    ...tablePaths(read, pathAt),
  ];
  const problems: Problem[] = [];
  if (calibration !== undefined && calibration === evaluation) {
    problems.push({
      what: '`data.evaluation.path` is the calibration data',
      where: document.locate(['data', 'evaluation', 'path']),
      fix: 'evaluate on samples that were not used to choose the bit-widths',
    });
  }
  if (output !== undefined && inputs.includes(output)) {
    const where = applied.outputPath === undefined ? { where: document.locate(['output']) } : {};
    const what = `the output ${output} is one of the inputs and would overwrite it`;
    problems.push({ what, ...where, fix: 'choose another path for the output' });
  }
  return problems;
}
