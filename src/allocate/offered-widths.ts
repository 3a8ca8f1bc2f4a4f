/** Which bit-widths each layer may take: those of the config, or the one that a pin fixes. */
import type { QuantizeConfig } from '../config/config.ts';
import { UserError } from '../errors.ts';
import { describeUnknownLayer } from '../unknown-layer.ts';

/** A width, or `float` for a layer left as it is. */
export type OfferedWidth = number | 'float';

type Pin = QuantizeConfig['pins'][number];

/**
 * @param layerNames shape [layerCount]
 * @returns ascending widths of each layer, shape [layerCount]
 * @throws UserError if a pin names no layer
 */
export function offeredWidths(
  layerNames: readonly string[],
  { bitWidths, pins }: Pick<QuantizeConfig, 'bitWidths' | 'pins'>,
  configPath: string,
): OfferedWidth[][] {
  const idle = pins.filter(({ pattern }) => !layerNames.some((name) => matchesGlob(name, pattern)));
  if (idle.length > 0) {
    const describe = ({ pattern }: Pin) => describeUnknownLayer('quantize.pin names', pattern, layerNames, configPath);
    throw new UserError(idle.map(describe));
  }
  return layerNames.map((name) => {
    const pin = pins.find(({ pattern }) => matchesGlob(name, pattern));
    return pin === undefined ? [...bitWidths] : [pin.bitWidth];
  });
}

/** `*` stands for any characters, `?` for one; all others for themselves. */
function matchesGlob(name: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(name);
}

/**
 * The layers of every tie.
 *
 * @param offered shape [layerCount]
 * @returns layer indices, shape [tieCount][…]
 * @throws UserError if a tie names no layer, a layer is in two, or tied layers have no width in common
 */
export function tiedLayers(
  layerNames: readonly string[],
  offered: readonly (readonly OfferedWidth[])[],
  ties: QuantizeConfig['ties'],
  configPath: string,
): number[][] {
  const groups = ties.map((patterns) =>
    [...layerNames.keys()].filter((layer) => patterns.some((pattern) => matchesGlob(layerNames[layer]!, pattern))),
  );
  const problems = groups.flatMap((layers, tie) => {
    const named = `quantize.tie [${ties[tie]!.join(', ')}]`;
    const what = describeTie(layers, groups.slice(0, tie).flat(), layerNames, offered);
    return what === undefined
      ? []
      : [{ what: `${named} ${what}`, where: configPath, fix: 'correct or remove the tie' }];
  });
  if (problems.length > 0) throw new UserError(problems);
  return groups;
}

/** What is wrong with a tie, if anything. */
function describeTie(
  layers: readonly number[],
  takenLayers: readonly number[],
  layerNames: readonly string[],
  offered: readonly (readonly OfferedWidth[])[],
): string | undefined {
  if (layers.length === 0) return 'matches no layer';
  const taken = layers.find((layer) => takenLayers.includes(layer));
  if (taken !== undefined) return `ties '${layerNames[taken]}', which another tie holds already`;
  const common = offered[layers[0]!]!.filter((width) => layers.every((layer) => offered[layer]!.includes(width)));
  return common.length > 0
    ? undefined
    : 'holds layers that have no width in common, because their widths are fixed apart';
}
