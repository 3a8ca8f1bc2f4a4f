import type { Config } from './config.ts';

/** Says what a valid config leaves open that its author may not have meant to. */
export function findConfigWarnings({ gate }: Config): readonly string[] {
  const limitsAccuracy = [gate.min, gate.max, gate.maxDrop].some((limit) => limit !== undefined);
  if (limitsAccuracy) return [];
  const limits = gate.metric === 'kl' ? '`max` or `max-drop`' : '`min` or `max-drop`';
  return [`no limit on ${gate.metric} is set, so the gate checks the size alone; set ${limits} under \`gate\``];
}
