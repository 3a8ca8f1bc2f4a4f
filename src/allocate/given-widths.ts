/** Which bit-width each layer has where an allocation from elsewhere says so. */
import type { QuantizeConfig } from '../config/config.ts';
import { UserError } from '../errors.ts';
import { describeUnknownLayer } from '../unknown-layer.ts';
import type { AllocationFile } from './allocation-file.ts';
import { type OfferedWidth, offeredWidths } from './offered-widths.ts';

/** Longer lists only hide what they are about. */
const MAX_NAMED = 8;

/**
 * @param layerNames shape [layerCount]
 * @returns the one width of each layer, shape [layerCount][1]
 * @throws UserError if the allocation names layers that there are not, leaves some out, or contradicts a pin
 */
export function givenWidths(
  layerNames: readonly string[],
  { path, widths }: AllocationFile,
  pins: QuantizeConfig['pins'],
  configPath: string,
): OfferedWidth[][] {
  const unknown = [...widths.keys()].filter((name) => !layerNames.includes(name));
  if (unknown.length > 0) {
    const named = unknown.slice(0, MAX_NAMED);
    throw new UserError(named.map((name) => describeUnknownLayer('the allocation names', name, layerNames, path)));
  }
  const pinned = offeredWidths(layerNames, { bitWidths: [], pins }, configPath).map(([width]) => width);
  const given = layerNames.map((name, layer) => widths.get(name) ?? pinned[layer]);
  const missing = layerNames.filter((_, layer) => given[layer] === undefined);
  if (missing.length > 0) throw new UserError(describeMissing(missing, path));
  const contradicted = layerNames.flatMap((name, layer) =>
    pinned[layer] === undefined || pinned[layer] === given[layer]
      ? []
      : [`'${name}', which is ${inWords(pinned[layer])} by quantize.pin and ${inWords(given[layer]!)} here`],
  );
  if (contradicted.length > 0) {
    const what = `the allocation contradicts the config: ${contradicted.slice(0, MAX_NAMED).join(', ')}`;
    throw new UserError({ what, where: path, fix: 'change one of the two, or remove the pin' });
  }
  return given.map((width) => [width!]);
}

function describeMissing(missing: readonly string[], where: string) {
  const rest = missing.length > MAX_NAMED ? [`and ${missing.length - MAX_NAMED} more`] : [];
  const named = missing.slice(0, MAX_NAMED).map((name) => `'${name}'`);
  const what = `the allocation leaves out ${[...named, ...rest].join(', ')}`;
  return { what, where, fix: 'give these layers a width, or float to leave them as they are' };
}

function inWords(width: OfferedWidth): string {
  return width === 'float' ? 'float' : `${width} bits`;
}
