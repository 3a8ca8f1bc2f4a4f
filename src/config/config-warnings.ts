import type { Config } from './config.ts';

/** Says what a valid config leaves open, or asks in vain, that its author may not have meant to. */
export function findConfigWarnings({ gate, evaluate, cache }: Config): readonly string[] {
  const limitsAccuracy = [gate, gate.warn].some(({ min, max, maxDrop }) => (min ?? max ?? maxDrop) !== undefined);
  const isLoss = gate.metric === 'kl' || evaluate?.better === 'lower';
  const limits = isLoss ? '`max` or `max-drop`' : '`min` or `max-drop`';
  return [
    ...(limitsAccuracy
      ? []
      : [`no limit on ${gate.metric} is set, so the gate checks the size alone; set ${limits} under \`gate\``]),
    ...(gate.inconclusive === 'warn' && gate.confidence === undefined
      ? ['`gate.inconclusive` changes nothing without `gate.confidence`: measured values are never inconclusive']
      : []),
    ...(cache.setting === 'off' && cache.directory !== undefined
      ? ['`cache-dir` changes nothing while `cache` is off']
      : []),
  ];
}
