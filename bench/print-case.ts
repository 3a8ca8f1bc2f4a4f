/** One JSON line on standard output, numbers with six significant digits. */
export function printCase(fields: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(fields, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value)));
}
