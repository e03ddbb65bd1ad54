// Moments that the driver or operator marked, and the candidates that they mean. A hand is slower than an eye: what was
// meant mostly lies a second or two before the mark.

import { moment } from "./format";
import type { Label, Mark } from "./model";

/** The first mark after this frame; from the start again when none is left. */
export function nextMark(marks: readonly Mark[], after: number): Mark | null {
  return marks.find((mark) => mark.frame > after) ?? marks[0] ?? null;
}

/** A candidate that ended longer before a mark than this is not what was meant by it. */
const REACTION_US = 5_000_000;

/** The candidate that a mark most likely means: the last one before it, or where none is near, the nearest. */
export function meantLabel(labels: readonly Label[], mark: Mark): Label | null {
  const before = labels.filter(
    ({ pts_us }) => pts_us[0] <= mark.pts_us && mark.pts_us - pts_us[1] <= REACTION_US,
  );
  if (before.length > 0) return before.at(-1) ?? null;
  const distance = ({ pts_us }: Label) => Math.max(pts_us[0] - mark.pts_us, mark.pts_us - pts_us[1], 0);
  return labels.reduce<Label | null>((best, label) => (best !== null && distance(best) <= distance(label) ? best : label), null);
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
