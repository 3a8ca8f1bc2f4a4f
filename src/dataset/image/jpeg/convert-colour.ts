/**
 * Rows of JPEG components to RGB (JFIF 1.02, and Adobe's convention of storing CMYK inverted), rounded as libjpeg
 * does.
 */

/** By the number of components: grey, luma and chroma, RGB as it is, inverted CMYK, or its luma-chroma form. */
export type ColourModel = 'grey' | 'ycc' | 'rgb' | 'cmyk' | 'ycck';

/** What the file says about its colours. */
export type ColourHints = {
  readonly componentIds: readonly number[];
  readonly hasJfif: boolean;
  /** Of the Adobe segment, where there is one. */
  readonly adobeTransform: number | undefined;
};

/**
 * The colour model by libjpeg's rules: JFIF means luma and chroma, then the Adobe segment decides, then the component
 * names.
 */
export function colourModel({ componentIds, hasJfif, adobeTransform }: ColourHints): ColourModel {
  if (componentIds.length === 1) return 'grey';
  if (componentIds.length === 4) return adobeTransform === undefined || adobeTransform === 0 ? 'cmyk' : 'ycck';
  if (hasJfif) return 'ycc';
  if (adobeTransform !== undefined) return adobeTransform === 0 ? 'rgb' : 'ycc';
  return String.fromCharCode(...componentIds) === 'RGB' ? 'rgb' : 'ycc';
}

/** Writes `width` RGB pixels from one row of each component to `target` at `offset`; the array clamps them. */
export type ConvertRow = (
  rows: readonly Uint8Array[],
  width: number,
  target: Uint8ClampedArray,
  offset: number,
) => void;

export const CONVERT_ROW: Readonly<Record<ColourModel, ConvertRow>> = {
  grey: ([grey], width, target, offset) => {
    for (let i = 0; i < 3 * width; i++) target[offset + i] = grey![Math.floor(i / 3)]!;
  },
  rgb: (rows, width, target, offset) => {
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) target[offset + 3 * x + c] = rows[c]![x]!;
  },
  ycc: convertLumaChroma,
  cmyk: convertInk,
  ycck: (rows, width, target, offset) => {
    convertLumaChroma(rows, width, target, offset);
    for (let x = 0; x < width; x++) {
      const black = rows[3]![x]!;
      // Here the luma-chroma form codes the inks themselves, where the plain form stores them inverted.
      for (let i = offset + 3 * x; i < offset + 3 * x + 3; i++) target[i] = lessInk(target[i]!, black);
    }
  },
};

/** Cr to red, Cr and Cb to green, Cb to blue, in 16 fraction bits; shape [256], by the stored value. */
const RED_BY_CR = Int32Array.from({ length: 256 }, (_, i) => (91881 * (i - 128) + 32768) >> 16);
const GREEN_BY_CR = Int32Array.from({ length: 256 }, (_, i) => -46802 * (i - 128));
const GREEN_BY_CB = Int32Array.from({ length: 256 }, (_, i) => -22554 * (i - 128) + 32768);
const BLUE_BY_CB = Int32Array.from({ length: 256 }, (_, i) => (116130 * (i - 128) + 32768) >> 16);

function convertLumaChroma(
  rows: readonly Uint8Array[],
  width: number,
  target: Uint8ClampedArray,
  offset: number,
): void {
  const [luma, blueChroma, redChroma] = rows as [Uint8Array, Uint8Array, Uint8Array];
  for (let x = 0, i = offset; x < width; x++, i += 3) {
    const y = luma[x]!;
    const cb = blueChroma[x]!;
    const cr = redChroma[x]!;
    target[i] = y + RED_BY_CR[cr]!;
    target[i + 1] = y + ((GREEN_BY_CB[cb]! + GREEN_BY_CR[cr]!) >> 16);
    target[i + 2] = y + BLUE_BY_CB[cb]!;
  }
}

function convertInk(rows: readonly Uint8Array[], width: number, target: Uint8ClampedArray, offset: number): void {
  for (let x = 0; x < width; x++) {
    const black = rows[3]![x]!;
    for (let c = 0; c < 3; c++) target[offset + 3 * x + c] = lessInk(255 - rows[c]![x]!, black);
  }
}

/** Light that is left of `white` (255 − black) after an ink: white − ink · white / 255, rounded as Pillow does. */
function lessInk(ink: number, white: number): number {
  const product = ink * white + 128;
  return white - (((product >> 8) + product) >> 8);
}
