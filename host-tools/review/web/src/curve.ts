// The openness curve as something to draw: lines where the eye was looked at, gaps where it was not. A gap is never
// drawn as zero.

import type { Evidence } from "./model";
import { clip, columnOf, type Stretch } from "./strip";

/** The highest openness drawn; an eye opened wide is more than 1. */
export const HIGHEST_OPENNESS = 1.25;

export interface Point {
  /** Horizontal place in columns of the filmstrip. */
  column: number;
  /** 1 = as open as this person's eye usually is, 0 = shut. */
  openness: number;
}

/** The measured points, one list for each stretch without a gap. */
export function lines(
  openness: readonly (number | null)[],
  evidence: Pick<Evidence, "frames" | "stride" | "columns">,
): Point[][] {
  return runs(openness, evidence, (frame) => columnOf(frame, evidence.columns));
}

/** The same on a scale of one column a frame that begins with `first`. */
export function plotLines(
  openness: readonly (number | null)[],
  curve: Pick<Evidence, "frames" | "stride">,
  first: number,
): Point[][] {
  return runs(openness, curve, (frame) => frame - first + 0.5);
}

function runs(
  openness: readonly (number | null)[],
  { frames, stride }: Pick<Evidence, "frames" | "stride">,
  columnAt: (frame: number) => number,
): Point[][] {
  const found: Point[][] = [];
  let open: Point[] | null = null;
  openness.forEach((value, i) => {
    if (value === null) {
      open = null;
      return;
    }
    if (open === null) {
      open = [];
      found.push(open);
    }
    open.push({
      column: columnAt(frames[0] + i * stride),
      openness: Math.min(Math.max(value, 0), HIGHEST_OPENNESS),
    });
  });
  return found;
}

/** The stretches in which `looked_at` says no, each reaching half a point to both sides. */
export function gaps(
  lookedAt: readonly boolean[],
  evidence: Pick<Evidence, "frames" | "stride" | "columns">,
): Stretch[] {
  const found: Stretch[] = [];
  let from = -1;
  for (let i = 0; i <= lookedAt.length; i += 1) {
    const missing = i < lookedAt.length && lookedAt[i] === false;
    if (missing && from < 0) from = i;
    if (!missing && from >= 0) {
      const edge = (point: number) =>
        columnOf(evidence.frames[0] + point * evidence.stride, evidence.columns);
      const stretch = clip({ from: edge(from - 0.5), to: edge(i - 0.5) }, evidence.columns.length);
      if (stretch.to > stretch.from) found.push(stretch);
      from = -1;
    }
  }
  return found;
}

/** The `d` of an SVG path through the points. */
export function pathOf(points: readonly Point[], columnWidth: number, height: number): string {
  return points
    .map(({ column, openness }, i) => {
      const x = (column * columnWidth).toFixed(1);
      const y = yOf(openness, height).toFixed(1);
      return `${i === 0 ? "M" : "L"}${x} ${y}`;
    })
    .join("");
}

/** How far down an openness stands in a plot of this height. */
export function yOf(openness: number, height: number): number {
  return height * (1 - openness / HIGHEST_OPENNESS);
}
