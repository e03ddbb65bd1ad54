// A line in one frame: an eyelid's edge, a face's outline. Its points stand one after another as x, y, x, y in pixels of the
// source image; a closed line's last point is joined to its first. How lines lie between keyframes is the host's rule
// (host-tools/quality/src/line.rs), and how far two lie apart the quality standard's (host-tools/quality/src/compare/lines.rs).

import { type Extent, type Place, toCanvas, toSource, type Viewport } from "./geometry";

/** Most points of one line (docs/reference/http.md). */
export const MAX_LINE_POINTS = 256;

/** A line farther off than this is wrong by the quality standard: pixels, root mean square. */
export const LINE_PX = 10;

/** A curve is looked at in this many places at least. */
const PLACES = 128;

export function leastPoints(closed: boolean): number {
  return closed ? 3 : 2;
}

export function pointsOf(at: readonly number[]): Place[] {
  return Array.from({ length: at.length >> 1 }, (_, i) => [at[2 * i] as number, at[2 * i + 1] as number] as const);
}

/** The ends of every side, in the line's direction. */
export function sidesOf(at: readonly number[], closed: boolean): (readonly [Place, Place])[] {
  const points = pointsOf(at);
  const [first] = points;
  const ends = [...points.slice(1), ...(closed && first !== undefined ? [first] : [])];
  return ends.map((end, i) => [points[i] as Place, end] as const);
}

function distance(a: Place, b: Place): number {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

function along(from: Place, to: Place, share: number): Place {
  return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
}

// --- between keyframes --------------------------------------------------------------------------------------------

/** The line on its way from one keyframe to the next; the one with fewer points gets as many as the other. */
export function between(from: readonly number[], to: readonly number[], share: number, closed: boolean): number[] {
  const count = Math.max(from.length, to.length) >> 1;
  const [a, b] = [withPoints(from, count, closed), withPoints(to, count, closed)];
  return a.map((value, i) => value + ((b[i] as number) - value) * share);
}

/** The same line by so many points, the first where it was, the others at equal lengths along it. */
export function withPoints(at: readonly number[], count: number, closed: boolean): readonly number[] {
  const sides = sidesOf(at, closed);
  const [first] = sides;
  if (at.length === 2 * count || first === undefined) return at;
  const whole = sides.reduce((sum, [from, to]) => sum + distance(from, to), 0);
  const parts = closed ? count : count - 1;
  const spread: number[] = [];
  let [side, passed] = [0, 0];
  for (let n = 0; n < count; n += 1) {
    const wanted = (whole * n) / parts;
    for (;;) {
      const length = distance(...(sides[side] as readonly [Place, Place]));
      if (side + 1 >= sides.length || passed + length >= wanted) break;
      passed += length;
      side += 1;
    }
    const [from, to] = sides[side] as readonly [Place, Place];
    const length = distance(from, to);
    const share = length > 0 ? Math.min(Math.max((wanted - passed) / length, 0), 1) : 0;
    spread.push(...along(from, to, share));
  }
  return spread;
}

// --- how far apart ------------------------------------------------------------------------------------------------

interface Curve {
  at: readonly number[];
  closed: boolean;
}

/** The root mean square of how far the points of either line lie from the other, by length; null where one has no side. */
export function rmse(a: Curve, b: Curve): number | null {
  const [one, other] = [sidesOf(a.at, a.closed), sidesOf(b.at, b.closed)];
  if (one.length === 0 || other.length === 0) return null;
  const [there, back] = [squares(one, other), squares(other, one)];
  return Math.sqrt((there.sum + back.sum) / (there.weight + back.weight));
}

type Sides = readonly (readonly [Place, Place])[];

/** What has no length counts as a thousandth of a pixel, so that two dots have a distance. */
const DOT_PX = 1e-3;

function squares(sides: Sides, other: Sides): { sum: number; weight: number } {
  const step = sides.reduce((whole, [from, to]) => whole + distance(from, to), 0) / PLACES;
  let [sum, weight] = [0, 0];
  for (const [from, to] of sides) {
    const length = distance(from, to);
    const parts = step > 0 ? Math.max(Math.ceil(length / step), 1) : 1;
    const each = Math.max(length, DOT_PX) / parts;
    for (let n = 0; n < parts; n += 1) {
      // The middle of each part stands for it.
      const here = along(from, to, (n + 0.5) / parts);
      sum += each * Math.min(...other.map((side) => distance(here, foot(here, side)) ** 2));
      weight += each;
    }
  }
  return { sum, weight };
}

/** The point of a side that is nearest. */
function foot(at: Place, [from, to]: readonly [Place, Place]): Place {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = dx * dx + dy * dy;
  const share = length > 0 ? ((at[0] - from[0]) * dx + (at[1] - from[1]) * dy) / length : 0;
  return along(from, to, Math.min(Math.max(share, 0), 1));
}

// --- under the pointer --------------------------------------------------------------------------------------------

/** The point under a place of the canvas; `reach` is in canvas pixels. */
export function pointAt(view: Viewport, at: readonly number[], where: Place, reach: number): number | null {
  let best: number | null = null;
  let nearest = reach;
  pointsOf(at).forEach((point, i) => {
    const away = distance(toCanvas(view, point), where);
    if (away > nearest) return;
    nearest = away;
    best = i;
  });
  return best;
}

/** The side under a place of the canvas, and its nearest place in the source. */
export function sideAt(view: Viewport, { at, closed }: Curve, where: Place, reach: number): { side: number; place: Place } | null {
  const here = toSource(view, where);
  let best: { side: number; place: Place } | null = null;
  let nearest = reach;
  sidesOf(at, closed).forEach((ends, side) => {
    const place = foot(here, ends);
    const away = distance(here, place) * view.scale;
    if (away > nearest) return;
    nearest = away;
    best = { side, place };
  });
  return best;
}

/** x, y, width and height of what the line spans. */
export function boundsOf(at: readonly number[]): readonly [number, number, number, number] {
  const points = pointsOf(at);
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) - left, Math.max(...ys) - top];
}

// --- changed ------------------------------------------------------------------------------------------------------

/** One point moved, or with none chosen the whole line; it stays in the image. */
export function moved(at: readonly number[], point: number | null, by: Place, source: Extent): readonly number[] {
  const held = (value: number, low: number, high: number) => Math.min(Math.max(value, low), Math.max(low, high));
  if (point === null) {
    const [x, y, w, h] = boundsOf(at);
    const [dx, dy] = [held(x + by[0], 0, source[0] - w) - x, held(y + by[1], 0, source[1] - h) - y];
    return at.map((value, i) => value + (i % 2 === 0 ? dx : dy));
  }
  const [x, y] = [at[2 * point] as number, at[2 * point + 1] as number];
  return withPoint(at, point, [held(x + by[0], 0, source[0]), held(y + by[1], 0, source[1])]);
}

export function withPoint(at: readonly number[], point: number, [x, y]: Place): readonly number[] {
  return at.map((value, i) => (i === 2 * point ? x : i === 2 * point + 1 ? y : value));
}

/** With a point more on a side: in its middle, or where one says. Unchanged where no more fit. */
export function divided({ at, closed }: Curve, side: number, where?: Place): readonly number[] {
  const ends = sidesOf(at, closed)[side];
  if (ends === undefined || at.length >= 2 * MAX_LINE_POINTS) return at;
  const behind = 2 * (side + 1);
  return [...at.slice(0, behind), ...(where ?? along(...ends, 0.5)), ...at.slice(behind)];
}

/** Without a point; unchanged where as few are left as a line must have. */
export function withoutPoint({ at, closed }: Curve, point: number): readonly number[] {
  if (at.length <= 2 * leastPoints(closed)) return at;
  return [...at.slice(0, 2 * point), ...at.slice(2 * point + 2)];
}
