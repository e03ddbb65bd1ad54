// A box, a point or a line over time, as keyframes. Between two keyframes it lies on the straight line in the frame index, as the
// rig means it; before the first and after the last it stays where they are. Pixels are of the source image.

import { between, pointsOf } from "./line";
import type { BoxRow, FrameRange, LineRow, PointRow, Value } from "./model";

export interface Keyframe {
  frame: number;
  /** x, y, width, height of a box; x, y of a point; x, y of each point of a line. */
  at: readonly number[];
  confidence: number;
}

export interface Track {
  form: "box" | "point" | "line";
  /** Of a line: the last point is joined to the first. */
  closed?: boolean;
  /** In order, at most one a frame, never empty. */
  keys: readonly Keyframe[];
}

/** Most keyframes of one label (docs/reference/wire.md). */
export const MAX_KEYFRAMES = 128;

/** How far the rig's own keyframes may be from what it measured: along each axis of a point, at each side of a box. */
export const BOUND_PX = { point: 1, box: 1.5 } as const;

/** Forms that rigs measure; lines come from elsewhere, and nobody promised a bound for them. */
type Bounded = keyof typeof BOUND_PX;

/** A keyframe that a person set is certain, as far as the label is concerned. */
const SET_BY_HAND = 1;

export function fromValue(value: Value | null): Track | null {
  if (value?.boxes !== undefined && value.boxes.length > 0) {
    const keys = value.boxes.map(([frame, x, y, w, h, confidence]) => ({ frame, at: [x, y, w, h], confidence }));
    return { form: "box", keys };
  }
  if (value?.points !== undefined && value.points.length > 0) {
    return { form: "point", keys: value.points.map(([frame, x, y, confidence]) => ({ frame, at: [x, y], confidence })) };
  }
  if (value?.line !== undefined && value.line.keys.length > 0) {
    const { closed, keys } = value.line;
    return { form: "line", closed, keys: keys.map(([frame, points]) => ({ frame, at: points.flat(), confidence: SET_BY_HAND })) };
  }
  return null;
}

export function toValue(track: Track): Value {
  if (track.form === "line") {
    return { line: { closed: isClosed(track), keys: track.keys.map(({ frame, at }): LineRow => [frame, pointsOf(at)]) } };
  }
  return track.form === "box"
    ? { boxes: track.keys.map(({ frame, at: [x = 0, y = 0, w = 0, h = 0], confidence }): BoxRow => [frame, x, y, w, h, confidence]) }
    : { points: track.keys.map(({ frame, at: [x = 0, y = 0], confidence }): PointRow => [frame, x, y, confidence]) };
}

export function isClosed(track: Track): boolean {
  return track.closed === true;
}

/** Where it is in a frame. */
export function positionAt(track: Track, frame: number): readonly number[] {
  const first = track.keys[0] as Keyframe;
  if (frame <= first.frame) return first.at;
  for (let i = 1; i < track.keys.length; i += 1) {
    const [a, b] = [track.keys[i - 1] as Keyframe, track.keys[i] as Keyframe];
    if (frame > b.frame) continue;
    if (frame === b.frame) return b.at;
    const share = (frame - a.frame) / (b.frame - a.frame);
    if (track.form === "line") return between(a.at, b.at, share, isClosed(track));
    return a.at.map((value, axis) => value + share * ((b.at[axis] as number) - value));
  }
  return (track.keys.at(-1) as Keyframe).at;
}

export function isKey(track: Track, frame: number): boolean {
  return track.keys.some((key) => key.frame === frame);
}

/** With a keyframe here: a new one, or the one of this frame at another place. Unchanged where no more fit. */
export function withKey(track: Track, frame: number, at: readonly number[]): Track {
  if (!isKey(track, frame) && track.keys.length >= MAX_KEYFRAMES) return track;
  const key = { frame, at: at.map(toHundredth), confidence: SET_BY_HAND };
  const others = track.keys.filter((one) => one.frame !== frame);
  return { ...track, keys: [...others, key].sort((a, b) => a.frame - b.frame) };
}

/** Without the keyframe of this frame; the last one stays. */
export function withoutKey(track: Track, frame: number): Track {
  const keys = track.keys.filter((key) => key.frame !== frame);
  return keys.length === 0 ? track : { ...track, keys };
}

/** The keyframe of one frame at another, which must lie within the label and hold none yet. */
export function retimed(track: Track, from: number, to: number, within: FrameRange): Track {
  const key = track.keys.find((one) => one.frame === from);
  if (key === undefined || to < within[0] || to > within[1] || isKey(track, to)) return track;
  return withKey({ ...track, keys: track.keys.filter((one) => one !== key) }, to, key.at);
}

/** The keyframe before or after a frame. */
export function nextKey(track: Track, frame: number, step: 1 | -1): number | null {
  const keys = step > 0 ? track.keys : [...track.keys].reverse();
  return keys.find((key) => (key.frame - frame) * step > 0)?.frame ?? null;
}

/** How far two boxes or points lie apart, as the bound means it: along the worse axis of a point, at the worst side of a box. */
export function apart(form: Bounded, a: readonly number[], b: readonly number[]): number {
  const [ax = 0, ay = 0, aw = 0, ah = 0] = a;
  const [bx = 0, by = 0, bw = 0, bh = 0] = b;
  if (form === "point") return Math.max(Math.abs(ax - bx), Math.abs(ay - by));
  return Math.max(Math.abs(ax - bx), Math.abs(ay - by), Math.abs(ax + aw - bx - bw), Math.abs(ay + ah - by - bh));
}

/** Stretches of `within` in which `edited` lies farther from `measured` than the rig's bound. */
export function departures(edited: Track, measured: Track, within: FrameRange): FrameRange[] {
  const { form } = edited;
  if (form === "line") return [];
  const bound = BOUND_PX[form];
  const found: [number, number][] = [];
  // The line through thousands of frames is walked once: both tracks are straight between keyframes.
  for (let frame = within[0]; frame <= within[1]; frame += 1) {
    if (apart(form, positionAt(edited, frame), positionAt(measured, frame)) <= bound) continue;
    const last = found.at(-1);
    if (last !== undefined && last[1] === frame - 1) last[1] = frame;
    else found.push([frame, frame]);
  }
  return found;
}

export function sameTrack(a: Track, b: Track): boolean {
  return (
    a.form === b.form &&
    isClosed(a) === isClosed(b) &&
    a.keys.length === b.keys.length &&
    a.keys.every((key, i) => {
      const other = b.keys[i] as Keyframe;
      return key.frame === other.frame && key.at.length === other.at.length && key.at.every((value, axis) => Math.abs(value - (other.at[axis] as number)) < 0.005);
    })
  );
}

/** A hundredth of a pixel is finer than anybody can see, and shorter on the wire. */
function toHundredth(value: number): number {
  return Math.round(value * 100) / 100;
}
