/** The five filters of PNG scanlines, undone in place (PNG, section 9). */
import { FormatError } from '../../format-error.ts';

/**
 * @param lines rows of equal length, each after its filter byte
 * @param pixelBytes distance to the byte that corresponds in the pixel before, at least 1
 */
export function undoFilters(lines: Uint8Array, rows: number, pixelBytes: number): void {
  const lineLength = lines.length / rows;
  let above: Uint8Array = new Uint8Array(lineLength - 1);
  for (let row = 0; row < rows; row++) {
    const line = lines.subarray(row * lineLength + 1, (row + 1) * lineLength);
    undoFilter(lines[row * lineLength]!, line, above, pixelBytes);
    above = line;
  }
}

function undoFilter(filter: number, line: Uint8Array, above: Uint8Array, pixelBytes: number): void {
  if (filter > 4) throw new FormatError(`uses filter ${filter}, which PNG does not know`);
  if (filter === 0) return;
  for (let i = 0; i < line.length; i++) {
    const left = i >= pixelBytes ? line[i - pixelBytes]! : 0;
    const up = above[i]!;
    if (filter === 1) line[i]! += left;
    else if (filter === 2) line[i]! += up;
    else if (filter === 3) line[i]! += (left + up) >> 1;
    else line[i]! += nearestOf(left, up, i >= pixelBytes ? above[i - pixelBytes]! : 0);
  }
}

/** Paeth's predictor: of the three neighbours the one nearest to left + up − corner, in this order on ties. */
function nearestOf(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
