/** The further limits of a config, from their cost tables and the work of the layers to costs of every choice. */
import type { CostLimit } from '../allocate/allocation-problem.ts';
import { bitOperations, type LayerWork } from '../allocate/bit-operations.ts';
import { type CostTable, costsOfLayers, parseCostTable } from '../allocate/cost-table.ts';
import type { OfferedWidth } from '../allocate/offered-widths.ts';
import type { BitOperationsConfig, ConstraintConfig, CostsConfig, QuantizeConfig } from '../config/config.ts';
import type { Batch } from '../dataset/sample-set.ts';
import type { Files } from '../entry/files.ts';
import { type Problem, UserError } from '../errors.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { LayerCosts } from '../sensitivity/layer-costs.ts';

/** A further limit with the table that it names. */
export type ReadConstraint = BitOperationsConfig | (Omit<CostsConfig, 'path'> & { readonly table: CostTable });

/** A table of 10,000 layers at all widths has a tenth of it. */
const MAX_TABLE_BYTES = 16 * 2 ** 20;

/** @throws UserError if a table cannot be read, is none, or counts in another unit than its limit */
export async function readConstraints(
  constraints: readonly ConstraintConfig[],
  files: Pick<Files, 'readFile'>,
): Promise<ReadConstraint[]> {
  const read: ReadConstraint[] = [];
  for (const constraint of constraints) {
    if (constraint.kind === 'bops') read.push(constraint);
    else read.push(await readTable(constraint, files));
  }
  return read;
}

async function readTable({ path, ...constraint }: CostsConfig, files: Pick<Files, 'readFile'>) {
  const table = parseCostTable(new TextDecoder().decode(await files.readFile(path, MAX_TABLE_BYTES)), path);
  const problem = findUnitProblem(constraint, table);
  if (problem !== undefined) throw new UserError(problem);
  return { ...constraint, table };
}

function findUnitProblem(
  { name, unit, location }: Omit<CostsConfig, 'path'>,
  { unit: own, path }: CostTable,
): Problem | undefined {
  if (unit === undefined || own === undefined || unit === own) return undefined;
  const what = `the limit '${name}' is in ${unit}, but its costs are in ${own} (${path})`;
  return { what, ...(location === undefined ? {} : { where: location }), fix: 'give both in one unit' };
}

export type LimitsInput = {
  readonly layers: readonly Layer[];
  /** Shape [layerCount]. */
  readonly widths: readonly (readonly OfferedWidth[])[];
  readonly quantize: Pick<QuantizeConfig, 'activations'>;
  /** One of the calibration batches. */
  readonly batch: Batch;
  /** Of that batch; asked for only where operations are limited. */
  readonly layerCosts: () => Promise<LayerCosts>;
};

/** @throws UserError if a table lacks a cost, or names what is no layer */
export async function describeLimits(constraints: readonly ReadConstraint[], input: LimitsInput): Promise<CostLimit[]> {
  // Faults of a table are found before the model runs for the operations.
  const ofTables = constraints.map((constraint) => (constraint.kind === 'bops' ? [] : [limitCosts(constraint, input)]));
  const limits: CostLimit[] = [];
  for (const [index, constraint] of constraints.entries()) {
    limits.push(...(constraint.kind === 'bops' ? [await limitOperations(constraint, input)] : ofTables[index]!));
  }
  return limits;
}

/** Of the input of a layer with integer kernels. */
const ACTIVATION_BITS = 8;

async function limitOperations({ name, bops }: BitOperationsConfig, input: LimitsInput): Promise<CostLimit> {
  const work = workOfLayers(input, await input.layerCosts());
  const activationBits = input.quantize.activations === undefined ? undefined : ACTIVATION_BITS;
  const float = work.reduce((sum, layer) => sum + bitOperations(layer, 'float'), 0);
  return {
    name,
    limit: bops.kind === 'ratio' ? Math.floor(bops.ratio * float) : bops.count,
    costOf: (layerIndex, width) => bitOperations(work[layerIndex]!, width, activationBits),
  };
}

/** A batch may be padded: the work is that of every sample fed. */
function workOfLayers({ layers, batch }: LimitsInput, costs: LayerCosts): LayerWork[] {
  const fedCount = Object.values(batch.feeds)[0]!.dims[0]!;
  return layers.map(({ nodes, floatBitWidth }) => {
    const operations = nodes.reduce((sum, node) => sum + costs.get(node)!.operations, 0) / fedCount;
    return { operations, floatBitWidth };
  });
}

function limitCosts(
  { name, limit, unit, table }: Exclude<ReadConstraint, BitOperationsConfig>,
  { layers, widths }: LimitsInput,
): CostLimit {
  const layerNames = layers.map((layer) => layer.name);
  const costs = costsOfLayers(table, layerNames, widths);
  const named = unit ?? table.unit;
  const costOf = (layerIndex: number, width: OfferedWidth) => costs[layerIndex]!.get(width)!;
  return { name, limit, ...(named === undefined ? {} : { unit: named }), costOf };
}
