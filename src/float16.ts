/** IEEE 754 binary16, for weights and scales stored as TensorProto.FLOAT16; Node 20 has no Float16Array. */

/** Of a normal number: 2^−14; below it the last place is worth 2^−24 throughout. */
const SMALLEST_EXPONENT = -14;

const BUFFER = new DataView(new ArrayBuffer(8));

/** The nearest binary16 bit pattern of a number, ties to even; overflow gives infinity. */
export function encodeFloat16(value: number): number {
  BUFFER.setFloat64(0, value);
  const high = BUFFER.getUint32(0);
  const sign = (high >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  const magnitude = Math.abs(value);
  // 65520 is halfway between the largest binary16 (65504) and the next power of two.
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(((high >>> 20) & 0x7ff) - 1023, SMALLEST_EXPONENT);
  // In units of the last place: 1024 to 2048 in the normal range, where 2048 rightly carries into the exponent.
  const significand = roundHalfToEven(magnitude * 2 ** (10 - exponent));
  return sign | (((exponent - SMALLEST_EXPONENT) << 10) + significand);
}

/** The number a binary16 bit pattern stands for. */
export function decodeFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bit patterns of numbers; a loop, because TypedArray.from with a function takes ten times as long. */
export function encodeFloat16Array(values: Float32Array | Float64Array): Uint16Array {
  const patterns = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) patterns[index] = encodeFloat16(values[index]!);
  return patterns;
}

/** The numbers that bit patterns stand for. */
export function decodeFloat16Array(patterns: Uint16Array): Float32Array {
  const values = new Float32Array(patterns.length);
  for (let index = 0; index < patterns.length; index++) values[index] = decodeFloat16(patterns[index]!);
  return values;
}

/** Rounds a non-negative number. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
