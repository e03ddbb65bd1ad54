// What the rig did not look at, as the line of the clip shows it.

import { percent } from "./format";
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

/** What the line under the timeline says of `silent` unseen frames out of `frames`; nothing before the host has told. */
export function lookedAt(told: boolean, silent: number, frames: number): string {
  if (!told) return "asking the host …";
  if (silent === 0) return "looked at throughout";
  return `hatched: not looked at, ${percent(Math.min(silent / frames, 1))} of the frames`;
}

/** What is said where a clip has no candidate: a heading, and what it means. */
export function nothingFound(told: boolean, open: boolean): readonly [string, string] {
  if (!told) return ["Opening the clip …", "What the rig found in it is on its way."];
  if (open) return ["No candidate blink in this clip so far", "The rig is still at it; candidates appear here as they arrive."];
  return [
    "No candidate blink in this clip",
    "The hatched parts of the line above were not looked at; everywhere else the rig looked and found none.",
  ];
}
