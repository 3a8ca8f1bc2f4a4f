/** What layers cost at each width, as the user measured or reckoned it (schemas/costs.v1.schema.json). */
import schema from '../../schemas/costs.v1.schema.json' with { type: 'json' };
import { type Problem, UserError } from '../errors.ts';
import { createChecker, parseJson } from '../json-document.ts';
import { nearestName } from '../nearest-name.ts';
import type { OfferedWidth } from './offered-widths.ts';

export type CostTable = {
  /** The file, for messages. */
  readonly path: string;
  readonly unit?: string;
  /** By the name of the layer, then by the width. */
  readonly costs: ReadonlyMap<string, ReadonlyMap<string, number>>;
};

type CostDocument = {
  readonly unit?: string;
  readonly costs: Readonly<Record<string, Readonly<Record<string, number>>>>;
};

const findSchemaProblem = createChecker(schema);

/** @throws UserError if the text is no table of costs */
export function parseCostTable(text: string, path: string): CostTable {
  const document = parseJson(text, path, 'the costs');
  const what = findSchemaProblem(document);
  if (what !== undefined) {
    throw new UserError({ what, where: path, fix: 'schemas/costs.v1.schema.json describes the format' });
  }
  const { unit, costs } = document as CostDocument;
  const rows = Object.entries(costs).map(([layer, row]) => [layer, new Map(Object.entries(row))] as const);
  return { path, ...(unit === undefined ? {} : { unit }), costs: new Map(rows) };
}

/**
 * Cost of every layer at every width it is offered.
 *
 * @param offered shape [layerCount]
 * @returns shape [layerCount], each by the width
 * @throws UserError naming every layer and width that has no cost, and every name that is no layer's: a cost that is left out
 *   is not taken for nothing, because the limit would then say less than it seems to
 */
export function costsOfLayers(
  table: CostTable,
  layerNames: readonly string[],
  offered: readonly (readonly OfferedWidth[])[],
): readonly ReadonlyMap<OfferedWidth, number>[] {
  const problems = [...findMissing(table, layerNames, offered), ...findUnknown(table, layerNames)];
  if (problems.length > 0) throw new UserError(problems.map((problem) => ({ ...problem, where: table.path })));
  return layerNames.map((name, layer) => {
    const row = table.costs.get(name)!;
    return new Map(offered[layer]!.map((width) => [width, row.get(String(width))!]));
  });
}

function findMissing(
  { costs }: CostTable,
  layerNames: readonly string[],
  offered: readonly (readonly OfferedWidth[])[],
): Problem[] {
  const missing = layerNames.flatMap((name, layer) => {
    const widths = offered[layer]!.filter((width) => costs.get(name)?.get(String(width)) === undefined);
    return widths.length === 0 ? [] : [`'${name}' at ${widths.join(', ')}`];
  });
  if (missing.length === 0) return [];
  const fix = 'add a cost for each, 0 where a layer costs nothing';
  return [{ what: `no cost for ${shortened(missing).join('; ')}`, fix }];
}

function findUnknown({ costs }: CostTable, layerNames: readonly string[]): Problem[] {
  const unknown = [...costs.keys()].filter((name) => !layerNames.includes(name));
  if (unknown.length === 0) return [];
  const named = unknown.map((name) => {
    const near = nearestName(name, layerNames);
    return `'${name}'${near === undefined ? '' : ` (did you mean '${near}'?)`}`;
  });
  const what = `costs of what is no layer of the model: ${shortened(named).join(', ')}`;
  return [{ what, fix: 'correct or remove them' }];
}

/** More than these would hide the rest of the message. */
const MAX_LISTED = 20;

function shortened(items: readonly string[]): string[] {
  const restCount = items.length - MAX_LISTED;
  return restCount <= 0 ? [...items] : [...items.slice(0, MAX_LISTED), `and ${restCount} more`];
}
