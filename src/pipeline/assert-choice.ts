import type { Config } from '../config/config.ts';
import { UserError } from '../errors.ts';

/** @throws UserError if the config gives every layer its width, so that no budget has another answer than the next */
export function assertHasChoice({ quantize, path }: Pick<Config, 'quantize' | 'path'>): void {
  if (quantize.allocationPath === undefined) return;
  const what = '`quantize.allocation` leaves nothing to choose: it gives every layer its width';
  throw new UserError({ what, where: path, fix: 'use `bitgate run`, or remove the allocation' });
}
