/** The picture of a JPEG file before its inverse transform (ITU-T T.81, A.1 and B.2.2). */
import { FormatError } from '../../format-error.ts';
import { checkImageSize } from '../pixel-image.ts';

export type Component = {
  readonly id: number;
  /** Sampling factors, 1…4: blocks per coding unit. */
  readonly horizontal: number;
  readonly vertical: number;
  readonly quantizationIndex: number;
  /** Size in samples. */
  readonly width: number;
  readonly height: number;
  /** Size in blocks of 8×8 samples, as needed for the samples. */
  readonly blocksPerLine: number;
  readonly blocksPerColumn: number;
  /** Blocks per line as stored, whole coding units. */
  readonly storedBlocksPerLine: number;
  /** Quantized coefficients in natural order, shape [stored blocks, 64]. */
  readonly coefficients: Int16Array;
  /** Step of each coefficient in natural order, shape [64]; taken over when the component's first scan begins. */
  quantization?: Uint16Array;
};

export type Frame = {
  readonly isProgressive: boolean;
  readonly width: number;
  readonly height: number;
  readonly largestHorizontal: number;
  readonly largestVertical: number;
  readonly unitsPerLine: number;
  readonly unitsPerColumn: number;
  readonly components: readonly Component[];
};

/**
 * Read a frame header (the body of SOF0, SOF1 or SOF2) and allocate its coefficients.
 *
 * @param fileSizeBytes a picture that needs more bits than the file has is refused before memory is taken for it
 * @throws FormatError for sizes, precisions, component counts and sampling factors that are not handled
 */
export function readFrame(body: Uint8Array, isProgressive: boolean, fileSizeBytes: number): Frame {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 6 || body.length < 6 + 3 * body[5]!) throw new FormatError('has a damaged frame header');
  if (body[0] !== 8) throw new FormatError(`is a JPEG of ${body[0]} bits per sample; 8 are supported`);
  const height = view.getUint16(1);
  const width = view.getUint16(3);
  checkImageSize(width, height);
  const specs = readComponentSpecs(body);
  const largestHorizontal = Math.max(...specs.map((spec) => spec.horizontal));
  const largestVertical = Math.max(...specs.map((spec) => spec.vertical));
  if (specs.some((spec) => largestHorizontal % spec.horizontal !== 0 || largestVertical % spec.vertical !== 0)) {
    throw new FormatError('has sampling factors whose ratios are no whole numbers');
  }
  const unitsPerLine = Math.ceil(width / (8 * largestHorizontal));
  const unitsPerColumn = Math.ceil(height / (8 * largestVertical));
  // Every block costs a bit at least: no Huffman code is shorter.
  const blockCount =
    specs.reduce((sum, spec) => sum + spec.horizontal * spec.vertical, 0) * unitsPerLine * unitsPerColumn;
  if (blockCount > fileSizeBytes * 8)
    throw new FormatError(`declares ${width}×${height} pixels, more than its bytes can hold`);
  const grid = { width, height, largestHorizontal, largestVertical, unitsPerLine, unitsPerColumn };
  return { isProgressive, ...grid, components: specs.map((spec) => layOut(spec, grid)) };
}

type ComponentSpec = Pick<Component, 'id' | 'horizontal' | 'vertical' | 'quantizationIndex'>;

function readComponentSpecs(body: Uint8Array): ComponentSpec[] {
  const count = body[5]!;
  if (count !== 1 && count !== 3 && count !== 4) throw new FormatError(`is a JPEG of ${count} colour components`);
  return Array.from({ length: count }, (_, index) => {
    const id = body[6 + 3 * index]!;
    const horizontal = body[7 + 3 * index]! >> 4;
    const vertical = body[7 + 3 * index]! & 15;
    const quantizationIndex = body[8 + 3 * index]!;
    if (horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4) {
      throw new FormatError(`has sampling factors of ${horizontal}×${vertical}`);
    }
    // A lone component is never interleaved, so its factors say nothing (T.81, A.2.2).
    return count === 1
      ? { id, horizontal: 1, vertical: 1, quantizationIndex }
      : { id, horizontal, vertical, quantizationIndex };
  });
}

function layOut(spec: ComponentSpec, grid: Omit<Frame, 'isProgressive' | 'components'>): Component {
  const width = Math.ceil((grid.width * spec.horizontal) / grid.largestHorizontal);
  const height = Math.ceil((grid.height * spec.vertical) / grid.largestVertical);
  const storedBlocksPerLine = grid.unitsPerLine * spec.horizontal;
  return {
    ...spec,
    width,
    height,
    blocksPerLine: Math.ceil(width / 8),
    blocksPerColumn: Math.ceil(height / 8),
    storedBlocksPerLine,
    coefficients: new Int16Array(storedBlocksPerLine * grid.unitsPerColumn * spec.vertical * 64),
  };
}
