import type { Problem } from './errors.ts';
import { nearestName } from './nearest-name.ts';

/**
 * A name in a file that no layer of the model has.
 *
 * @param subject what names it: `quantize.pin names`
 */
export function describeUnknownLayer(
  subject: string,
  name: string,
  layerNames: readonly string[],
  where: string,
): Problem {
  const near = nearestName(name, layerNames);
  const hint = near === undefined ? '' : `; did you mean '${near}'?`;
  const what = `${subject} '${name}', but no layer is called so${hint}`;
  return { what, where, fix: 'see `bitgate inspect` for the names of the layers' };
}
