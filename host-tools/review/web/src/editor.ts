// What is being changed and not saved yet, and how the picture is looked at while it is.

import { batch, computed, effect, signal } from "@preact/signals";
import { Drafts } from "./drafts";
import { dragged, fit, type Handle, HANDLES, type Place, shifted, snapped, type Viewport, zoomed } from "./geometry";
import { notice } from "./host";
import { type Form, formOf, standing, valueOf } from "./kinds";
import { boundsOf, moved, pointsOf, withPoint } from "./line";
import type { EventValue, FrameRange, Kind, Label, LineKind } from "./model";
import { clip, current } from "./session";
import { column, frame, picture, picturesHere, shown } from "./material";
import { stepPicture } from "./pictures";
import { type Edge, kindOfLength, newSpan, withEdge } from "./span";
import { nearestColumn } from "./strip";
import { fromValue, isKey, nextKey, positionAt, retimed, sameTrack, type Track, withKey, withoutKey } from "./track";

/** So near an edge of the image is taken for on it: pixels of the source. */
export const SNAP_PX = 6;

export type Draft =
  | { of: "event"; label: string; frames: FrameRange }
  | { of: "track"; label: string; track: Track; frames: FrameRange }
  /** An event that the machine missed; `beside` is the label that was shown. */
  | { of: "new"; beside: string; kind: Kind; track: number | null; frames: FrameRange }
  | NewLine;

/** A line that was missed; while it is being drawn its points come one by one, and there may be none yet. */
export interface NewLine {
  of: "new-line";
  beside: string;
  kind: LineKind;
  track: number;
  frames: FrameRange;
  line: Track;
  drawing: boolean;
}

const SHELF = "rigel-draft";

export const draft = signal<Draft | null>(null);
/** null: nothing changed yet. */
const drafts = new Drafts<Draft | null>(() => performance.now());

/** Moves that follow each other closely are taken back together, a step by itself. */
type Change = "move" | "step";

export function draw(next: Draft, as: Change = "move"): void {
  if (as === "step") drafts.separate();
  drafts.changes(draft.value);
  if (as === "step") drafts.separate();
  draft.value = next;
}

/** Takes the last step of the edit back; false where there is none. */
export function stepBack(): boolean {
  const was = drafts.back(draft.value);
  if (was !== undefined) draft.value = was;
  return was !== undefined;
}

/** Brings a step of the edit back; false where there is none. */
export function stepOn(): boolean {
  const was = drafts.on(draft.value);
  if (was !== undefined) draft.value = was;
  return was !== undefined;
}
/** The edge that was moved last. */
export const edge = signal<Edge | null>(null);
/** Whether arrow keys move what is in the picture. */
export const editing = signal(false);
export const handle = signal<Handle>("all");
/** Of a line: the point that keys move; null moves the whole. */
export const vertex = signal<number | null>(null);
export const snapping = signal(false);
export const magnifier = signal(true);
/** Factors: 1 shows the picture as it came. */
export const brightness = signal(1);
export const gamma = signal(1);
/** null: the whole picture. */
export const viewport = signal<Viewport | null>(null);
/** Of the canvas, in CSS pixels. */
export const canvasSize = signal<readonly [number, number]>([0, 0]);

/** Width and height of the image that labels are given in. */
export const source = computed(() => picture.value?.of ?? ([1280, 720] as const));

/** The line that was missed, where one is being made. */
export const newLine = computed((): NewLine | null => (draft.value?.of === "new-line" ? draft.value : null));

/** What is edited: the shown label, or the line that is made beside it. */
export const form = computed((): Form | null => {
  if (newLine.value !== null) return "line";
  return current.value === null ? null : formOf(current.value.kind);
});

/** The label's own track as the rig told it; the reviewer's is in `track`. */
export const measured = computed(() => (current.value === null || newLine.value !== null ? null : fromValue(valueOf(current.value))));

/** The track as it stands, with what is being changed. */
export const track = computed((): Track | null => {
  const label = current.value;
  if (label === null) return null;
  const now = draft.value;
  if (now?.of === "new-line") return now.line;
  return now?.of === "track" && now.label === label.id ? now.track : fromValue(standing(label).value);
});

/** The frames as they stand, with what is being changed. */
export const span = computed((): FrameRange => {
  const label = current.value;
  if (label === null) return [0, 0];
  const now = draft.value;
  if (now?.of === "new-line") return now.frames;
  return now !== null && now.of !== "new" && now.label === label.id ? now.frames : standing(label).frames;
});

export const dirty = computed(() => {
  const [label, now] = [current.value, draft.value];
  if (label === null || now === null) return false;
  if (now.of === "new" || now.of === "new-line") return true;
  if (now.label !== label.id) return false;
  const { frames, value } = standing(label);
  if (now.frames[0] !== frames[0] || now.frames[1] !== frames[1]) return true;
  const before = fromValue(value);
  return now.of === "track" && (before === null || !sameTrack(now.track, before));
});

/** Begins to keep the draft through reloads, and to forget it when another label is shown. */
export function followEditor(): void {
  try {
    draft.value = JSON.parse(sessionStorage.getItem(SHELF) ?? "null") as Draft | null;
  } catch {
    draft.value = null;
  }
  const id = computed(() => current.value?.id ?? null);
  effect(() => {
    const here = id.value;
    const now = draft.peek();
    if (here === null) return;
    drafts.forget();
    batch(() => {
      if (now !== null && ("beside" in now ? now.beside : now.label) !== here) draft.value = null;
      edge.value = null;
      editing.value = false;
      handle.value = "all";
      vertex.value = null;
      viewport.value = null;
      pointed.value = null;
    });
  });
  effect(() => {
    if (draft.value === null) sessionStorage.removeItem(SHELF);
    else sessionStorage.setItem(SHELF, JSON.stringify(draft.value));
  });
}

export function discard(): void {
  drafts.forget();
  batch(() => {
    draft.value = null;
    edge.value = null;
    editing.value = false;
    vertex.value = null;
  });
}

// --- events in time -----------------------------------------------------------------------------------------------

/** The event whose edges move: the new one where there is one, else the shown one. */
export const eventSpan = computed((): FrameRange => (draft.value?.of === "new" ? draft.value.frames : span.value));

const clipFrames = () => clip.value?.frames ?? Number.MAX_SAFE_INTEGER;

/** Microseconds between two frames, as the shown label's times tell. */
export const frameUs = computed(() => {
  const label = current.value;
  const fps = clip.value?.nominal_fps;
  if (fps != null && fps > 0) return 1_000_000 / fps;
  const steps = label === null ? 0 : label.frames[1] - label.frames[0];
  return label === null || steps === 0 ? 33_333 : (label.pts_us[1] - label.pts_us[0]) / steps;
});

export function setEdge(which: Edge, to: number): void {
  const label = current.value;
  if (label === null || formOf(label.kind) !== "event") return;
  const now = draft.value;
  batch(() => {
    if (now?.of === "new") {
      const frames = withEdge(now.frames, which, to, clipFrames());
      draw({ ...now, frames, kind: kindOfLength(frames, frameUs.value) });
    } else {
      draw({ of: "event", label: label.id, frames: withEdge(span.value, which, to, clipFrames()) });
    }
    edge.value = which;
    showFrame(eventSpan.value[which === "start" ? 0 : 1]);
  });
}

export function moveEdge(which: Edge, by: number): void {
  setEdge(which, eventSpan.value[which === "start" ? 0 : 1] + by);
}

/** The filmstrip's column of a frame, and the picture nearest to it. */
export function showFrame(at: number): void {
  const strip = shown.value;
  if (strip !== null && strip !== "none") column.value = nearestColumn(at, strip.curve.columns);
  frame.value = at;
}

/** The frame that one looks at: the one pointed at, that of the filmstrip, or of the picture. */
export function lookedAtFrame(): number {
  if (pointed.value !== null) return pointed.value;
  const strip = shown.value;
  return strip !== null && strip !== "none" ? (strip.curve.columns[column.value] ?? frame.value) : frame.value;
}

/** A frame beside the event, pointed at on the line below the curve. */
export const pointed = signal<number | null>(null);

export function pointAt(at: number): void {
  pointed.value = Math.max(Math.min(at, clipFrames() - 1), 0);
  showFrame(pointed.value);
}

/** Begins an event that the machine missed, around a frame. */
export function beginEvent(at: number): void {
  const label = current.value;
  if (label === null || formOf(label.kind) !== "event") {
    notice.value = { text: "A missed event is made beside another event: filter for blinks and long closures first.", bad: false };
    return;
  }
  const frames = newSpan(at, frameUs.value, clipFrames());
  batch(() => {
    draw({ of: "new", beside: label.id, kind: kindOfLength(frames, frameUs.value), track: label.track, frames });
    edge.value = "start";
    pointed.value = null;
  });
}

/** What the curve tells of an event that a person made; where it tells nothing, that the eyes shut. */
export function eventAsSeen(frames: FrameRange): EventValue {
  const middle = Math.round((frames[0] + frames[1]) / 2);
  const strip = shown.value;
  const { curve } = strip === null || strip === "none" ? { curve: null } : strip;
  const seen = curve === null ? [] : (["left", "right"] as const).flatMap((eye) =>
    curve[eye].flatMap((opening, i) => {
      const at = curve.frames[0] + i * curve.stride;
      return opening !== null && at >= frames[0] && at <= frames[1] ? [{ eye, at, opening }] : [];
    }),
  );
  const lowest = seen.reduce<(typeof seen)[number] | null>((best, one) => (best === null || one.opening < best.opening ? one : best), null);
  const eyes = new Set(seen.map((one) => one.eye));
  const [only] = eyes;
  return {
    eyes: eyes.size === 1 && only !== undefined ? only : "both",
    peak: lowest?.at ?? middle,
    opening: Math.max(lowest?.opening ?? 0, 0),
  };
}

// --- tracks in the picture ----------------------------------------------------------------------------------------

/** The draft with another track, or for other frames. */
function changed(next: Track, frames: FrameRange): Draft | null {
  if (newLine.value !== null) return { ...newLine.value, line: next, frames };
  return current.value === null ? null : { of: "track", label: current.value.id, track: next, frames };
}

export function change(next: Track, as: Change = "move"): void {
  const now = changed(next, span.value);
  if (now !== null) draw(now, as);
}

/** Puts what is in the shown frame elsewhere; a frame without a keyframe gets one. */
export function place(at: readonly number[], as: Change = "move"): void {
  const now = track.value;
  if (now === null) return;
  if (frame.value < span.value[0] || frame.value > span.value[1]) {
    notice.value = { text: `Frame ${frame.value} is outside the label: extend the label first.`, bad: false };
    return;
  }
  const next = withKey(now, frame.value, snapping.value ? snappedTo(now, at) : at);
  if (next === now) notice.value = { text: "A label holds at most 128 keyframes.", bad: true };
  else change(next, as);
}

function snappedTo(now: Track, at: readonly number[]): readonly number[] {
  if (now.form !== "line") return snapped(at, source.value, SNAP_PX);
  const point = vertex.value === null ? undefined : pointsOf(at)[vertex.value];
  if (vertex.value === null || point === undefined) return at;
  const [x = 0, y = 0] = snapped(point, source.value, SNAP_PX);
  return withPoint(at, vertex.value, [x, y]);
}

/** Moves what is taken hold of. */
export function nudge(by: Place): void {
  const now = track.value;
  if (now === null) return;
  const at = positionAt(now, frame.value);
  if (now.form === "line") place(moved(at, vertex.value, by, source.value));
  else place(now.form === "box" ? dragged(at, handle.value, by, source.value) : shifted(at, by, source.value));
}

export function addKey(): void {
  const now = track.value;
  if (now !== null && !isKey(now, frame.value)) place(positionAt(now, frame.value));
}

export function deleteKey(): void {
  const now = track.value;
  if (now === null) return;
  if (!isKey(now, frame.value)) {
    notice.value = { text: `Frame ${frame.value} has no keyframe.`, bad: false };
    return;
  }
  const next = withoutKey(now, frame.value);
  if (next === now) notice.value = { text: "The last keyframe stays: reject the label instead.", bad: false };
  else change(next);
}

/** Moves the keyframe of one frame to another. */
export function retime(from: number, to: number): boolean {
  const now = track.value;
  if (now === null) return false;
  const next = retimed(now, from, to, span.value);
  if (next === now) return false;
  change(next);
  return true;
}

/** The label from here, or up to here: it holds its place from its first or last keyframe on. */
export function extendTo(at: number): void {
  const now = track.value;
  if (now === null) return;
  const next = changed(withKey(now, at, positionAt(now, at)), [Math.min(span.value[0], at), Math.max(span.value[1], at)]);
  if (next !== null) draw(next);
}

export function nextHandle(step: 1 | -1): void {
  if (track.value?.form !== "box") return;
  const at = HANDLES.indexOf(handle.value);
  handle.value = HANDLES[(at + step + HANDLES.length) % HANDLES.length] as Handle;
}

/** To the next picture; in a track whose pictures are used up, to the next keyframe. */
export function stepToPicture(step: 1 | -1): void {
  const next = stepPicture(picturesHere.value, frame.value, step)?.frame ?? (track.value === null ? null : nextKey(track.value, frame.value, step));
  if (next !== null) frame.value = next;
}

/** To the next keyframe. */
export function stepToKey(step: 1 | -1): void {
  const next = track.value === null ? null : nextKey(track.value, frame.value, step);
  if (next !== null) frame.value = next;
}

export function stepFrame(step: number): void {
  if (current.value !== null && formOf(current.value.kind) === "event") {
    pointAt(lookedAtFrame() + step);
    return;
  }
  frame.value = Math.max(Math.min(frame.value + step, clipFrames() - 1), 0);
}

export function zoom(factor: number, at?: Place): void {
  const [width, height] = canvasSize.value;
  if (width === 0) return;
  const now = viewport.value ?? fit([width, height], source.value);
  viewport.value = factor === 0 ? null : zoomed(now, at ?? middleOfInterest(now), factor, [width, height], source.value);
}

/** Keys zoom on what is judged. */
function middleOfInterest(now: Viewport): Place {
  const [width, height] = canvasSize.value;
  const at = track.value === null ? [] : positionAt(track.value, frame.value);
  if (at.length === 0) return [width / 2, height / 2];
  const [x = 0, y = 0, w = 0, h = 0] = track.value?.form === "line" ? boundsOf(at) : at;
  return [(x + w / 2 - now.left) * now.scale, (y + h / 2 - now.top) * now.scale];
}

const BRIGHTEST = 4;
const DARKEST = 0.5;

export function brighten(factor: number): void {
  brightness.value = Math.min(Math.max(brightness.value * factor, DARKEST), BRIGHTEST);
}

export function lift(factor: number): void {
  gamma.value = Math.min(Math.max(gamma.value * factor, DARKEST), BRIGHTEST);
}

/** The picture as it came. */
export function plainPicture(): void {
  brightness.value = 1;
  gamma.value = 1;
}

/** What saving the draft of a label says: null where it says what the rig said. */
export function correctionOf(label: Label, now: Extract<Draft, { of: "event" | "track" }>) {
  const value = valueOf(label);
  const moved = now.frames[0] !== label.frames[0] || now.frames[1] !== label.frames[1];
  if (now.of === "track") {
    const before = fromValue(value);
    const same = before !== null && sameTrack(now.track, before);
    return { moved, track: same ? null : now.track };
  }
  return { moved, track: null };
}
