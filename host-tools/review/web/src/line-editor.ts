// What is done to a line besides what boxes and points have too: its points chosen, added and taken away, opened and closed;
// and a line that was missed, drawn point by point.

import { batch, computed, signal } from "@preact/signals";
import { canvasSize, change, draw, editing, type NewLine, newLine, place, SNAP_PX, snapping, source, span, track, vertex, viewport } from "./editor";
import { fit, type Place, shifted, snapped, toSource } from "./geometry";
import { notice } from "./host";
import { divided, leastPoints, MAX_LINE_POINTS, pointsOf, sidesOf, withoutPoint, withPoint } from "./line";
import { frame } from "./material";
import type { LineKind } from "./model";
import { current } from "./session";
import { isClosed, positionAt, type Track } from "./track";

const say = (text: string) => {
  notice.value = { text, bad: false };
};

/** The line in the shown frame; null where what is edited is none, or has no point yet. */
export const lineHere = computed((): { at: readonly number[]; closed: boolean } | null => {
  const now = track.value;
  if (now?.form !== "line") return null;
  const at = positionAt(now, frame.value);
  return at.length === 0 ? null : { at, closed: isClosed(now) };
});

/** The chosen point of the shown frame; its keyframe may have fewer than another. */
export const chosen = computed((): number | null => {
  const count = (lineHere.value?.at.length ?? 0) >> 1;
  return vertex.value !== null && vertex.value < count ? vertex.value : null;
});

/** Chooses the next point; after the last one the whole line. */
export function nextVertex(step: 1 | -1): void {
  if (lineHere.value === null) return;
  const choices = (lineHere.value.at.length >> 1) + 1;
  const next = ((chosen.value === null ? 0 : chosen.value + 1) + step + choices) % choices;
  take(next === 0 ? null : next - 1);
}

/** Takes hold of a point, or of the whole line. */
export function take(point: number | null): void {
  batch(() => {
    vertex.value = point;
    editing.value = true;
  });
}

/** Puts a point elsewhere. */
export function placePoint(point: number, at: Place): void {
  const now = lineHere.value;
  if (now === null) return;
  const [x = 0, y = 0] = shifted(at, [0, 0], source.value);
  place(withPoint(now.at, point, [x, y]));
}

/** Adds a point on a side, where one says or in its middle, and chooses it. */
export function divide(side: number, where?: Place): void {
  const now = lineHere.value;
  if (now === null) return;
  const next = divided(now, side, where);
  if (next === now.at) return say(`A line holds at most ${MAX_LINE_POINTS} points.`);
  place(next, "step");
  take(side + 1);
}

/** Adds one in the middle of the side that begins at the chosen point; at an open line's end, of the last side. */
export function addPoint(): void {
  const now = lineHere.value;
  if (now === null) return;
  if (chosen.value === null) return say("Choose the point that the side begins at first: H.");
  divide(Math.min(chosen.value, sidesOf(now.at, now.closed).length - 1));
}

export function deletePoint(): void {
  const [now, point] = [lineHere.value, chosen.value];
  if (now === null) return;
  if (point === null) return say("Choose the point to delete first: H.");
  const next = withoutPoint(now, point);
  if (next === now.at) return say(`A line that is ${now.closed ? "closed" : "open"} keeps ${leastPoints(now.closed)} points at least.`);
  place(next, "step");
  take(Math.min(point, (next.length >> 1) - 1));
}

/** Joins the last point to the first, or parts them. */
export function toggleClosed(): void {
  const now = track.value;
  if (now?.form !== "line") return;
  const closed = !isClosed(now);
  const least = 2 * leastPoints(closed);
  if (drawing.value === null && now.keys.some((key) => key.at.length < least)) {
    return say("A closed line has three points at least in every keyframe.");
  }
  change({ ...now, closed }, "step");
}

// --- a line that was missed ---------------------------------------------------------------------------------------

/** The line whose points are being set. */
export const drawing = computed((): NewLine | null => (newLine.value?.drawing === true ? newLine.value : null));

/** Where keys set the next point, in pixels of the source. */
export const aim = signal<Place>([0, 0]);

/** Begins a line that was missed, of the person whose label is shown. */
export function beginLine(kind: LineKind): void {
  const label = current.value;
  if (label === null || label.track === null) {
    return say("A missed line is drawn beside a label of the same person: their box, an eye or another line.");
  }
  const { track: person, id } = label;
  batch(() => {
    const line: Track = { form: "line", closed: false, keys: [{ frame: frame.value, at: [], confidence: 1 }] };
    draw({ of: "new-line", beside: id, kind, track: person, frames: [frame.value, frame.value], line, drawing: true }, "step");
    vertex.value = null;
    editing.value = false;
    aim.value = middleOfView();
  });
}

function middleOfView(): Place {
  const [width, height] = canvasSize.value;
  const view = viewport.value ?? fit([width, height], source.value);
  const [x, y] = toSource(view, [width / 2, height / 2]);
  return [Math.round(x), Math.round(y)];
}

export function aimAt(where: Place): void {
  const [x = 0, y = 0] = shifted(where, [0, 0], source.value);
  aim.value = [x, y];
}

export function moveAim(by: Place): void {
  aimAt([aim.value[0] + by[0], aim.value[1] + by[1]]);
}

function drawn(now: NewLine): Place[] {
  return now.line.keys.flatMap((key) => pointsOf(key.at));
}

/** The line drawn so far, with other points; it is where its last point was set. */
function redraw(now: NewLine, points: readonly Place[]): void {
  const at = points.flat().map((value) => Math.round(value * 100) / 100);
  const line = { ...now.line, keys: [{ frame: frame.value, at, confidence: 1 }] };
  draw({ ...now, frames: [frame.value, frame.value], line }, "step");
}

/** Sets the next point. */
export function setPoint(where: Place): void {
  const now = drawing.value;
  if (now === null) return;
  const points = drawn(now);
  if (points.length >= MAX_LINE_POINTS) return say(`A line holds at most ${MAX_LINE_POINTS} points.`);
  const held = shifted(where, [0, 0], source.value);
  const [x = 0, y = 0] = snapping.value ? snapped(held, source.value, SNAP_PX) : held;
  const last = points.at(-1);
  // A second click on the same place is no second point.
  if (last !== undefined && Math.hypot(last[0] - x, last[1] - y) < 0.5) return;
  redraw(now, [...points, [x, y]]);
  aim.value = [x, y];
}

export function dropLastPoint(): void {
  const now = drawing.value;
  if (now === null) return;
  const points = drawn(now);
  if (points.length > 0) redraw(now, points.slice(0, -1));
}

/** Ends the drawing: what was drawn is a line now, to be corrected further and then saved. */
export function endLine(closed?: true): void {
  const now = drawing.value;
  if (now === null) return;
  const line = closed === true ? { ...now.line, closed } : now.line;
  const least = leastPoints(isClosed(line));
  if (drawn(now).length < least) {
    return say(`${isClosed(line) ? "A closed line" : "A line"} has ${least} points at least.`);
  }
  batch(() => {
    draw({ ...now, line, drawing: false }, "step");
    frame.value = span.value[0];
  });
}
