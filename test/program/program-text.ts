/** Programs as text, the way a textbook prints them, for tests that compare one before and one after a reformulation. */
import type { MixedIntegerProgram } from '../../src/program/mixed-integer-program.ts';
import type { QuadraticProgram } from '../../src/program/quadratic-program.ts';

/** Variables are named x<group>.<candidate>, both counted from 0. */
export function textOfQuadratic({ groupSizes, quadratic, constraints }: QuadraticProgram): string {
  const names = variableNames(groupSizes);
  const terms: string[] = [];
  names.forEach((name, row) => {
    const diagonal = quadratic[row * names.length + row]! / 2;
    if (diagonal !== 0) terms.push(`${diagonal} ${name}`);
    names.slice(0, row).forEach((other, column) => {
      const entry = quadratic[row * names.length + column]!;
      if (entry !== 0) terms.push(`${entry} ${other}*${name}`);
    });
  });
  const choices = groupSizes.map((_, group) => {
    const members = names.filter((name) => name.startsWith(`x${group}.`));
    return `${members.join(' + ')} = 1`;
  });
  const limits = constraints.map(({ name, costs, limit }) => {
    const sum = names.map((variable, index) => `${costs[index]} ${variable}`).join(' + ');
    return `${name}: ${sum} <= ${limit}`;
  });
  return ['minimise', terms.join(' + '), 'subject to', ...choices, ...limits].join('\n');
}

/** Columns take the given names; the binary ones are listed at the end. */
export function textOfMixedInteger(mip: MixedIntegerProgram, names: readonly string[]): string {
  const term = (coefficient: number, column: number) =>
    `${coefficient === 1 ? '' : coefficient === -1 ? '-' : `${coefficient} `}${names[column]}`;
  const objective = [...mip.columnCosts].flatMap((cost, column) => (cost === 0 ? [] : [term(cost, column)]));
  const rows = Array.from({ length: mip.rowCount }, (_, row) => {
    const [start, end] = [mip.matrix.rowStarts[row]!, mip.matrix.rowStarts[row + 1]!];
    const entries = [...mip.matrix.columns.subarray(start, end)].map((column, at) =>
      term(mip.matrix.values[start + at]!, column),
    );
    const [lower, upper] = [mip.rowLower[row]!, mip.rowUpper[row]!];
    if (lower !== upper && lower !== Number.NEGATIVE_INFINITY) throw new Error(`row ${row} is a range`);
    return `${entries.join(' + ')} ${lower === upper ? '=' : '<='} ${upper}`;
  });
  const binaries = names.slice(0, mip.binaryCount).join(' ');
  return ['minimise', objective.join(' + '), 'subject to', ...rows, 'binary', binaries].join('\n');
}

export function variableNames(groupSizes: readonly number[]): string[] {
  return groupSizes.flatMap((size, group) => Array.from({ length: size }, (_, candidate) => `x${group}.${candidate}`));
}
