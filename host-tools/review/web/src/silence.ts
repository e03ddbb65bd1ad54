// What the rig did not look at, as the line of the clip shows it.

import type { Abstention } from "./model";

/** Abstentions of one person and one reason that follow each other without a frame between, as one. */
export function merged(abstentions: readonly Abstention[]): Abstention[] {
  const found: Abstention[] = [];
  for (const one of [...abstentions].sort((a, b) => a.frames[0] - b.frames[0])) {
    const at = found.findIndex(
      (last) => last.track === one.track && last.reason === one.reason && one.frames[0] <= last.frames[1] + 1,
    );
    const last = found[at];
    if (last === undefined) found.push(one);
    else found[at] = { ...last, frames: [last.frames[0], Math.max(last.frames[1], one.frames[1])] };
  }
  return found;
}

/** Frames in at least one of the ranges: two people unseen in a frame make one frame. */
export function framesIn(abstentions: readonly Abstention[]): number {
  let counted = 0;
  let upTo = -1;
  for (const { frames } of [...abstentions].sort((a, b) => a.frames[0] - b.frames[0])) {
    const from = Math.max(frames[0], upTo + 1);
    counted += Math.max(frames[1] - from + 1, 0);
    upTo = Math.max(upTo, frames[1]);
  }
  return counted;
}
