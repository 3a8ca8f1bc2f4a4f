/** What the gate's metric asks of the rest of a config: limits on its good side and in its range, and what it measures on. */
import type { Problem } from '../errors.ts';
import { renderPath } from '../schema-words.ts';
import type { ValuePath, YamlDocument } from './yaml-document.ts';

/** Reads one value that the schema may have refused, so nothing is known about its type. */
export type Read = (path: ValuePath) => unknown;

const METRICS = ['top1', 'top5', 'kl', 'command'] as const;

type Metric = (typeof METRICS)[number];

/** Nothing for a metric that there is not. */
export function findMetricProblems(document: YamlDocument, read: Read): readonly Problem[] {
  const metric = METRICS.find((known) => known === read(['gate', 'metric']));
  if (metric === undefined) return [];
  const limits = [['gate'], ['gate', 'warn']].flatMap((section) => [
    ...findSideProblems(document, read, section, metric),
    ...findRangeProblems(document, read, section, metric),
  ]);
  const sources =
    metric === 'command' ? findCommandProblems(document, read) : findSampleProblems(document, read, metric);
  return [...limits, ...sources];
}

/** Whether less of the metric is better. */
export function isLoss(read: Read): boolean {
  const metric = read(['gate', 'metric']);
  return metric === 'kl' || (metric === 'command' && read(['evaluate', 'better']) === 'lower');
}

/** A limit that every bad model keeps, and no good one. */
function findSideProblems(document: YamlDocument, read: Read, section: ValuePath, metric: Metric): readonly Problem[] {
  const wantsLess = isLoss(read);
  const path = [...section, wantsLess ? 'min' : 'max'];
  if (read(path) === undefined) return [];
  const what = `\`${renderPath(path)}\` does not fit the metric ${metric}, where ${wantsLess ? 'less' : 'more'} is better`;
  const other = metric === 'command' ? `, or set \`evaluate.better: ${wantsLess ? 'higher' : 'lower'}\`` : '';
  const fix = `${wantsLess ? 'use `max`' : 'use `min` or `max-drop`'}${other}`;
  return [{ what, where: document.locateKey(path), fix }];
}

/** What a command measures may have any value. */
function findRangeProblems(document: YamlDocument, read: Read, section: ValuePath, metric: Metric): readonly Problem[] {
  if (metric === 'command') return [];
  const [min, max, maxDrop] = [
    [...section, 'min'],
    [...section, 'max'],
    [...section, 'max-drop'],
  ] as const;
  const check = (path: ValuePath, isGood: (value: number) => boolean, expected: string, fix?: string) => {
    const value = read(path);
    if (typeof value !== 'number' || !Number.isFinite(value) || isGood(value)) return [];
    const what = `\`${renderPath(path)}\` is ${value}, expected ${expected}`;
    return [{ what, where: document.locate(path), ...(fix === undefined ? {} : { fix }) }];
  };
  if (metric === 'kl') return check(max, (value) => value >= 0, 'a number, at least 0');
  return [
    ...check(min, (value) => value >= 0 && value <= 1, 'a share from 0 to 1 (0.9 is 90 %)'),
    ...check(maxDrop, (value) => value <= 1, `a share from 0 to 1 for ${metric}`, 'one percentage point is 0.01'),
  ];
}

function findCommandProblems(document: YamlDocument, read: Read): readonly Problem[] {
  const problems: Problem[] = [];
  if (read(['evaluate']) === undefined) {
    const what = '`gate.metric` is command, and there is no `evaluate` that names one';
    const fix = 'add `evaluate: { command: [python3, measure.py] }`';
    problems.push({ what, where: document.locate(['gate', 'metric']), fix });
  }
  for (const path of [
    ['data', 'evaluation'],
    ['gate', 'output'],
  ]) {
    if (read(path) === undefined) continue;
    const what = `\`${renderPath(path)}\` would not be read: the metric is a command, which runs the model by itself`;
    problems.push({ what, where: document.locateKey(path), fix: 'remove it' });
  }
  return problems;
}

function findSampleProblems(document: YamlDocument, read: Read, metric: Metric): readonly Problem[] {
  const problems: Problem[] = [];
  if (read(['evaluate']) !== undefined) {
    const what = `\`evaluate\` would not be read: the metric is ${metric}`;
    const fix = 'set `gate.metric: command`, or remove it';
    problems.push({ what, where: document.locateKey(['evaluate']), fix });
  }
  const data = read(['data']);
  if (typeof data === 'object' && data !== null && read(['data', 'evaluation']) === undefined) {
    const what = `\`data.evaluation\` is missing, expected the samples that ${metric} is measured on`;
    const fix = 'add `evaluation: { path: … }`';
    problems.push({ what, where: document.locateKey(['data', 'evaluation']), fix });
  }
  return problems;
}
