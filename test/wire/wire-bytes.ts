/** Protobuf messages written by hand (protobuf.dev, "Encoding"), to check the library against the specification. */

export function packed(values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap(varint));
}

export function varintField(number: number, content: number): Uint8Array {
  return Uint8Array.from([...varint(number * 8), ...varint(content)]);
}

/** A nested message, bytes, or packed numbers. */
export function bytesField(number: number, content: Uint8Array): Uint8Array {
  return concat(Uint8Array.from([...varint(number * 8 + 2), ...varint(content.length)]), content);
}

export function field(number: number, text: string): Uint8Array {
  return bytesField(number, new TextEncoder().encode(text));
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Seven bits a byte, the low ones first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}
