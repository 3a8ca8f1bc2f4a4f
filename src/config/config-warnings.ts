import type { Config } from './config.ts';

/** Says what a valid config leaves open, or asks in vain, that its author may not have meant to. */
export function findConfigWarnings({ gate, cacheDirectory }: Config): readonly string[] {
  const limitsAccuracy = [gate.min, gate.max, gate.maxDrop].some((limit) => limit !== undefined);
  const limits = gate.metric === 'kl' ? '`max` or `max-drop`' : '`min` or `max-drop`';
  return [
    ...(limitsAccuracy
      ? []
      : [`no limit on ${gate.metric} is set, so the gate checks the size alone; set ${limits} under \`gate\``]),
    ...(cacheDirectory === undefined ? [] : ['measurements are not kept yet, so the cache folder changes nothing']),
  ];
}
