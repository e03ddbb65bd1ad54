// Where frames stand on the filmstrip and on the curve beneath it. Both share one horizontal scale: column i of the
// strip covers [i, i + 1) columns, and the frame it shows stands at its centre, i + 0.5.

import type { FrameRange } from "./model";

/** A stretch of the strip, in columns. */
export interface Stretch {
  from: number;
  to: number;
}

/** Where a frame stands, in columns; between the frames of two columns linearly, beyond the ends with the end's slope. */
export function columnOf(frame: number, columns: readonly number[]): number {
  const count = columns.length;
  if (count === 0) return 0;
  const first = columns[0] as number;
  if (count === 1) return frame - first + 0.5;
  // The pair of columns between which the frame lies, or the pair at the end beyond which it lies.
  let right = columns.findIndex((shown) => shown >= frame);
  if (right === -1) right = count - 1;
  if (right === 0) right = 1;
  const before = columns[right - 1] as number;
  const after = columns[right] as number;
  const share = after === before ? 0 : (frame - before) / (after - before);
  return right - 1 + share + 0.5;
}

/** The stretch that a range of frames covers, from the left edge of its first frame to the right edge of its last. */
export function stretchOf(frames: FrameRange, columns: readonly number[]): Stretch {
  const shown = columns.flatMap((frame, i) => (frame >= frames[0] && frame <= frames[1] ? [i] : []));
  const first = shown[0];
  const last = shown.at(-1);
  if (first === undefined || last === undefined) {
    return clip({ from: columnOf(frames[0], columns), to: columnOf(frames[1], columns) }, columns.length);
  }
  return { from: first, to: last + 1 };
}

/** Where a frame's left side stands, in columns; at the strip's ends for frames beyond them. */
export function placeOf(frame: number, columns: readonly number[]): number {
  const at = columns.findIndex((shown) => shown >= frame);
  return at < 0 ? columns.length : at;
}

/** The frame whose left side stands at a place, in columns: the next frame begins a column further. */
export function frameOf(place: number, columns: readonly number[]): number {
  const count = columns.length;
  if (count === 0) return 0;
  const at = Math.min(Math.max(Math.round(place), 0), count);
  if (at < count) return columns[at] as number;
  const last = columns[count - 1] as number;
  const stride = count > 1 ? last - (columns[count - 2] as number) : 1;
  return last + stride;
}

/** A stretch cut to the strip. */
export function clip(stretch: Stretch, columns: number): Stretch {
  const from = Math.min(Math.max(stretch.from, 0), columns);
  return { from, to: Math.min(Math.max(stretch.to, from), columns) };
}

/** Which column shows the frame, or the nearest one to it. */
export function nearestColumn(frame: number, columns: readonly number[]): number {
  let best = 0;
  columns.forEach((shown, i) => {
    if (Math.abs(shown - frame) < Math.abs((columns[best] as number) - frame)) best = i;
  });
  return best;
}

/** Width of one column in CSS pixels: as wide as fits, up to three times the tile, and never a fraction of a pixel. */
export function columnWidth(available: number, columns: number, tileWidth: number): number {
  if (columns === 0) return 0;
  return Math.max(1, Math.floor(Math.min(available / columns, tileWidth * 3)));
}

/** Room or extent in CSS pixels. */
export interface Size {
  width: number;
  height: number;
}

/** How many times a tile is enlarged so that two stand side by side in the room; whole numbers keep pixels square. */
export function loupeScale(room: Size, tile: readonly [number, number]): number {
  const scale = Math.min(room.width / (2 * tile[0]), room.height / tile[1]);
  return Math.max(1, Math.min(Math.floor(scale), 10));
}

/** Every how many columns a frame number is written, so that numbers of this width do not touch. */
export function numberEvery(columnWidth: number, numberWidth: number): number {
  return Math.max(1, Math.ceil(numberWidth / columnWidth));
}
