// Moments that the driver or operator marked, and the candidates near them. A hand is slower than an eye: what was meant
// mostly lies a second or two before the mark.

import { moment } from "./format";
import type { Label, Mark } from "./model";

/** The first mark after this frame; from the start again when none is left. */
export function nextMark(marks: readonly Mark[], after: number): Mark | null {
  return marks.find((mark) => mark.frame > after) ?? marks[0] ?? null;
}

/** The candidate nearest to a mark, the earlier one of two as near. */
export function nearestLabel(labels: readonly Label[], mark: Mark): Label | null {
  let best: Label | null = null;
  for (const label of labels) {
    if (best === null || distance(label, mark) < distance(best, mark)) best = label;
  }
  return best;
}

function distance({ frames }: Label, { frame }: Mark): number {
  return Math.max(frames[0] - frame, frame - frames[1], 0);
}

export function markText(mark: Mark): string {
  return `marked by the driver or operator at ${moment(mark.pts_us)}`;
}

/** Where the mark lies, seen from a candidate. */
export function markBeside(mark: Mark, label: Label): string {
  const at = moment(mark.pts_us);
  const seconds = (us: number) => `${(us / 1_000_000).toFixed(1)} s`;
  if (mark.pts_us > label.pts_us[1]) return `marked ${seconds(mark.pts_us - label.pts_us[1])} after it, at ${at}`;
  if (mark.pts_us < label.pts_us[0]) return `marked ${seconds(label.pts_us[0] - mark.pts_us)} before it, at ${at}`;
  return `marked within it, at ${at}`;
}

/** Candidates and marks in one order of time; a candidate stands before a mark in its first frame. */
export function interleaved(labels: readonly Label[], marks: readonly Mark[]): (Label | Mark)[] {
  const rows: (Label | Mark)[] = [];
  let next = 0;
  for (const label of labels) {
    for (let mark = marks[next]; mark !== undefined && mark.frame < label.frames[0]; mark = marks[next]) {
      rows.push(mark);
      next += 1;
    }
    rows.push(label);
  }
  return [...rows, ...marks.slice(next)];
}
