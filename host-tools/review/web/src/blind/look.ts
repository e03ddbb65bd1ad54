// A second look: what is asked, what is being said from scratch, and what it turned out to be held against. Until there is an
// answer, nothing here was said by a rig or by somebody else.

import { batch, computed, effect, signal } from "@preact/signals";
import { account } from "../account";
import * as api from "../api";
import { newKey } from "../delivery";
import { get, post, tell } from "../desk";
import { revision } from "../host";
import { formOf } from "../kinds";
import type { Correction, Evidence, FrameRange, Kind, Label, LabelState, LineKind, ModelRef, Picture, Value } from "../model";
import { hashOf, route } from "../route";
import { Stopwatch } from "../stopwatch";

export type Sort = "blind" | "silence" | "self" | "other" | "second";
export type Said = "here" | "nothing" | "cannot-tell";

export interface Against {
  says: "here" | "not" | "nothing" | "cannot-tell";
  frames: FrameRange | null;
  value: Value | null;
  confidence: number | null;
  model: ModelRef | null;
  state: LabelState | null;
}

export interface LookAnswer {
  said: Said;
  frames: FrameRange | null;
  value: Value | null;
  sort: Sort;
  label: string | null;
  against: Against | null;
  agrees: boolean | null;
  made: string | null;
}

/** Of lines nobody is asked a second time. */
export type AskedKind = Exclude<Kind, LineKind>;

export interface Look {
  look: number;
  clip: string;
  kind: AskedKind;
  track: number | null;
  frames: FrameRange;
  has_strip: boolean;
  answer: LookAnswer | null;
}

interface Sampling {
  due: number;
  alone: boolean;
}

/** How many wait for whoever is here. */
export const due = signal(0);
/** Nobody else could be asked. */
export const alone = signal(true);
export const look = signal<Look | null>(null);
export const phase = signal<"asking the host" | "asked" | "sending" | "answered" | "nothing waits">("asking the host");
/** Of the filmstrip, where there is one. */
export const strip = signal<Evidence | null>(null);
/** The frame looked at. */
export const at = signal(0);
/** The event marked so far. */
export const first = signal<number | null>(null);
export const last = signal<number | null>(null);
export const pictures = signal<readonly Picture[]>([]);
export const shownPicture = signal(0);
/** Other labels of the clip, to know who is who. */
export const others = signal<readonly Label[]>([]);
/** Where keys point in the picture: pixels of the source. */
export const aim = signal<readonly [number, number]>([0, 0]);
/** A box's first corner, once it is set. */
export const corner = signal<readonly [number, number] | null>(null);
/** What was marked: a point or a box, in pixels of the source. */
export const marked = signal<readonly number[] | null>(null);
export const zoom = signal(1);

const stopwatch = new Stopwatch(() => performance.now());
/** Names the request, so that an answer that is sent again counts once. */
let key = newKey();

export const picture = computed((): Picture | null => pictures.value[shownPicture.value] ?? null);

/** A busy desk changes all the time: what waits is counted so often at most. */
const BETWEEN_MS = 2000;

/** Begins to count what waits, on every view. */
export function followDue(): void {
  let asking = false;
  let again = false;
  const count = async () => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const told = await get<Sampling>("api/sampling");
      due.value = told.due;
      alone.value = told.alone;
    } catch {
      // The host is away, or nobody has signed in; both are said elsewhere.
    }
    setTimeout(() => {
      asking = false;
      if (!again) return;
      again = false;
      void count();
    }, BETWEEN_MS);
  };
  effect(() => {
    if (revision.value >= 0 && account.value !== null && account.value.user !== null) void count();
  });
}

/** Asks for the next one. */
export async function next(): Promise<void> {
  phase.value = "asking the host";
  try {
    const told = await post<Sampling & { look: Look | null }>("api/looks/next", {});
    due.value = told.due;
    alone.value = told.alone;
    await show(told.look);
  } catch (error) {
    tell(error);
    phase.value = "nothing waits";
  }
}

async function show(asked: Look | null): Promise<void> {
  if (asked === null) {
    batch(() => {
      look.value = null;
      phase.value = "nothing waits";
    });
    return;
  }
  const placed = asked.track !== null;
  const [layout, pictured, there] = await Promise.all([
    asked.has_strip ? get<Evidence>(`api/looks/${asked.look}/strip`) : Promise.resolve(null),
    api.pictures(asked.clip),
    placed ? api.labelsOfClip(asked.clip, ["bbox-person", "keypoint-left-eye", "keypoint-right-eye"]) : Promise.resolve([]),
  ]);
  const within = pictured.filter(({ frame }) => frame >= asked.frames[0] && frame <= asked.frames[1]);
  const middle = Math.floor(within.length / 2);
  const [width, height] = within[middle]?.of ?? [0, 0];
  key = newKey();
  stopwatch.restart();
  batch(() => {
    look.value = asked;
    strip.value = layout;
    pictures.value = within;
    shownPicture.value = middle;
    others.value = there.filter((one) => one.kind !== asked.kind || one.track !== asked.track);
    at.value = layout?.columns[Math.floor(layout.columns.length / 2)] ?? within[middle]?.frame ?? asked.frames[0];
    first.value = null;
    last.value = null;
    aim.value = [Math.round(width / 2), Math.round(height / 2)];
    corner.value = null;
    marked.value = null;
    zoom.value = 1;
    phase.value = asked.answer === null ? "asked" : "answered";
  });
}

/** To another frame of the strip, or another picture. */
export function step(by: number): void {
  const columns = strip.value?.columns ?? [];
  if (columns.length > 0) {
    const now = columns.findIndex((frame) => frame >= at.value);
    at.value = columns[Math.min(Math.max((now < 0 ? columns.length - 1 : now) + by, 0), columns.length - 1)] ?? at.value;
  } else toPicture(by);
}

export function toPicture(by: number): void {
  shownPicture.value = Math.min(Math.max(shownPicture.value + by, 0), Math.max(pictures.value.length - 1, 0));
  const shown = picture.value;
  if (shown === null) return;
  at.value = shown.frame;
  // What was marked was marked on another picture.
  corner.value = null;
  marked.value = null;
}

/** The event begins, or ends, at the frame looked at. */
export function edge(which: "first" | "last"): void {
  if (which === "first") {
    first.value = at.value;
    if (last.value !== null && last.value < at.value) last.value = null;
  } else {
    last.value = at.value;
    if (first.value !== null && first.value > at.value) first.value = null;
  }
}

export function aimBy(x: number, y: number): void {
  const [width, height] = picture.value?.of ?? [0, 0];
  const held = (value: number, most: number) => Math.min(Math.max(value, 0), most);
  aim.value = [held(aim.value[0] + x, width), held(aim.value[1] + y, height)];
  if (look.value !== null && formOf(look.value.kind) === "point") marked.value = aim.value;
}

/** One corner of a box, then the one across. */
export function setCorner(): void {
  if (corner.value === null) {
    corner.value = aim.value;
    marked.value = null;
    return;
  }
  markBox(corner.value, aim.value);
  corner.value = null;
}

export function markBox(a: readonly [number, number], b: readonly [number, number]): void {
  const [w, h] = [Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1])];
  if (w >= 2 && h >= 2) marked.value = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), w, h];
}

/** What was marked, as the host takes it; null while something is missing. */
export const reading = computed((): Correction | null => {
  const asked = look.value;
  if (asked === null) return null;
  switch (formOf(asked.kind)) {
    case "event": {
      const [from, to] = [first.value, last.value];
      if (from === null || to === null) return null;
      return { frames: [from, to], value: { event: { eyes: "both", peak: Math.round((from + to) / 2), opening: 0 } } };
    }
    case "box": {
      const [x, y, w, h] = marked.value ?? [];
      if (x === undefined || y === undefined || w === undefined || h === undefined) return null;
      return { value: { boxes: [[at.value, x, y, w, h, 1]] } };
    }
    case "point": {
      const [x, y] = marked.value ?? [];
      return x === undefined || y === undefined ? null : { value: { points: [[at.value, x, y, 1]] } };
    }
    default:
      return null;
  }
});

export function save(): void {
  if (reading.value !== null) void answer("here", reading.value);
}

export async function answer(said: Said, what: Correction | null = null): Promise<void> {
  const asked = look.value;
  if (asked === null || phase.value !== "asked") return;
  phase.value = "sending";
  const body = { said, millis: stopwatch.elapsed(), key, ...(what === null ? {} : { reading: what }) };
  try {
    look.value = await post<Look>(`api/looks/${asked.look}/answer`, body);
    phase.value = "answered";
    stopwatch.restart();
    if (look.value.answer?.against === null && look.value.answer.made === null) await next();
  } catch (error) {
    tell(error);
    // Sent again it counts once.
    phase.value = "asked";
  }
}

/** Takes one's own answer back, and goes on. */
export async function undo(): Promise<void> {
  const asked = look.value;
  if (asked?.answer == null) return;
  try {
    await post<Look>(`api/looks/${asked.look}/undo`, { key: newKey() });
    await next();
  } catch (error) {
    tell(error);
  }
}

/** The verdict on a candidate that was answered blind: the rig's word, or one's own. */
export const judgeable = computed(() => {
  const given = look.value?.answer;
  return phase.value === "answered" && given?.sort === "blind" && given.label !== null && given.against?.state === "waiting";
});

export function acceptRigs(): void {
  void judge({ verdict: "accept" });
}

/** The rig's label made into what was answered; boxes and points are corrected in the queue, where their keyframes are. */
export function takeMine(): void {
  const [asked, given] = [look.value, look.value?.answer];
  if (asked === null || given == null || given.label === null) return;
  const form = formOf(asked.kind);
  if (given.said === "cannot-tell") return void judge({ verdict: "reject", cause: "cannot-tell" });
  if (given.said === "nothing") return void judge({ verdict: "reject", cause: form === "box" ? "not-a-person" : "wrong-value" });
  if (form === "box" || form === "point") return open();
  if (form !== "event") return void judge({ verdict: "correct", correction: { value: given.value ?? {} } });
  const [event, frames] = [given.against?.value?.event, given.frames];
  if (event === undefined || frames === null) return;
  // The frame of the smallest opening lies within the event, wherever its edges went.
  const peak = Math.min(Math.max(event.peak, frames[0]), frames[1]);
  void judge({ verdict: "correct", correction: { frames, value: { event: { ...event, peak } } } });
}

export function open(): void {
  const label = look.value?.answer?.label;
  if (label != null) location.hash = hashOf({ view: "review", rest: label });
}

async function judge(verdict: object): Promise<void> {
  const label = look.value?.answer?.label;
  if (!judgeable.value || label == null) return;
  try {
    await post(`api/labels/${encodeURIComponent(label)}/verdicts`, { ...verdict, millis: stopwatch.elapsed(), key: newKey() });
    await next();
  } catch (error) {
    tell(error);
  }
}

/** Asks as soon as the view is shown and nothing was asked yet. */
export function begin(): void {
  if (route.value.view === "second-look" && (look.value === null || look.value.answer !== null)) void next();
}
