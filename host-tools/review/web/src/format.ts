// How numbers are written on the page.

import type { FrameRange, RejectCause } from "./model";

/** `1:02.367` */
export function time(us: number): string {
  const ms = Math.round(us / 1000);
  const minutes = Math.floor(ms / 60_000);
  const rest = (ms - minutes * 60_000) / 1000;
  return `${minutes}:${rest.toFixed(3).padStart(6, "0")}`;
}

/** `1:02.4`: a moment that somebody marked by hand. */
export function moment(us: number): string {
  const tenths = Math.round(us / 100_000);
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${((tenths - minutes * 600) / 10).toFixed(1).padStart(4, "0")}`;
}

/** `758–764` */
export function frames(range: FrameRange): string {
  return range[0] === range[1] ? `${range[0]}` : `${range[0]}–${range[1]}`;
}

/** `frames 758–764`, `frame 18` */
export function inFrames(range: FrameRange): string {
  return `${range[0] === range[1] ? "frame" : "frames"} ${frames(range)}`;
}

/** `93 %`; a promise of 99.6 % is not written as certainty. */
export function percent(share: number): string {
  const rounded = Math.round(share * 100);
  if (rounded === 100 && share < 1) return ">99 %";
  if (rounded === 0 && share > 0) return "<1 %";
  return `${rounded} %`;
}

/** Length of an event: its last frame counts, so one frame's time is added to the distance of its ends. */
export function durationMs(pts: readonly [number, number], range: FrameRange): number {
  const steps = range[1] - range[0];
  if (steps === 0) return 0;
  const span = pts[1] - pts[0];
  return Math.round((span + span / steps) / 1000);
}

/** `wrong-place` → `wrong place` */
export function words(name: string): string {
  return name.replaceAll("-", " ");
}

/** Why a rig did not look, as one reads it. */
export function reason(name: string): string {
  return name === "shed" ? "left out for want of time or coolness" : words(name);
}

/** Numbers with thin spaces between thousands. */
export function count(value: number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** A cause as one reads it. */
export function cause(name: RejectCause): string {
  return words(name);
}
