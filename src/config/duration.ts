const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/**
 * Seconds of a time as a config has it: a number of seconds, or a text with a unit, such as "90s", "1.5m" or "2h".
 *
 * @returns undefined for anything else
 */
export function parseDuration(value: number | string): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  const [, amount, unit] = /^([0-9]*\.?[0-9]+) ?([smh]?)$/.exec(value.trim()) ?? [];
  return amount === undefined ? undefined : Number(amount) * (UNIT_SECONDS[unit!] ?? 1);
}
