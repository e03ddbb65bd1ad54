// An event's two edges. Both frames belong to the event, so it is never shorter than one frame.

import type { FrameRange, Kind } from "./model";

export type Edge = "start" | "end";

/** Eyes shut for longer than this are a closure, not a blink: microseconds. */
export const LONG_CLOSURE_US = 500_000;

/** An edge at another frame; it does not pass the other, nor leave the clip. */
export function withEdge(span: FrameRange, edge: Edge, frame: number, frames: number): FrameRange {
  const at = Math.round(frame);
  return edge === "start"
    ? [Math.min(Math.max(at, 0), span[1]), span[1]]
    : [span[0], Math.max(Math.min(at, frames - 1), span[0])];
}

/** The edge nearer to a frame; within the event the nearer one, too. */
export function nearerEdge(span: FrameRange, frame: number): Edge {
  return Math.abs(frame - span[0]) <= Math.abs(frame - span[1]) ? "start" : "end";
}

/** What two markings of one event share: frames of both over frames of either. */
export function temporalIou(a: FrameRange, b: FrameRange): number {
  const both = Math.min(a[1], b[1]) - Math.max(a[0], b[0]) + 1;
  if (both <= 0) return 0;
  return both / (Math.max(a[1], b[1]) - Math.min(a[0], b[0]) + 1);
}

/** Whether a new event of this length is a blink or a long closure. */
export function kindOfLength(span: FrameRange, frameUs: number): Kind {
  return (span[1] - span[0] + 1) * frameUs > LONG_CLOSURE_US ? "long-closure" : "blink";
}

/** A new event around a frame, within the clip: as long as most blinks, 0.2 s. */
export function newSpan(frame: number, frameUs: number, frames: number): FrameRange {
  const half = Math.max(Math.round(100_000 / frameUs), 1);
  return [Math.max(frame - half, 0), Math.min(frame + half, frames - 1)];
}
