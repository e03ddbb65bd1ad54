// What the review knows: the queue, the label that is shown, and how one moves. Judging is in `judging.ts`, what a label
// is judged by in `material.ts`, its clip in `context.ts`.

import { batch, computed, effect, signal, untracked } from "@preact/signals";
import * as api from "./api";
import { outbox } from "./delivery";
import { type Filter, EVERYTHING, restoredFilter } from "./filters";
import { connected, notice, revision } from "./host";
import type { Mode } from "./keys";
import { meantLabel, nextMark } from "./marks";
import type { Clip, Label, LabelState, Mark, Summary } from "./model";
import { inserted, neighbour, nextWaiting, rejoined, replaced, withKnownCauses, withPending } from "./queue";
import { FIRST_VIEW, replaceRoute, route } from "./route";
import { Stopwatch } from "./stopwatch";

/** Labels listed at first, and how many more as their end comes near. */
const WINDOW = 300;
const WINDOW_MOST = 5000;
const NEAR_END = 40;
const FILTER_SHELF = "rigel-filter";

export const summary = signal<Summary | null>(null);
export const clips = signal<readonly Clip[]>([]);
export const filter = signal<Filter>(restoredFilter(sessionStorage.getItem(FILTER_SHELF)));
/** The queue, as far as it is listed, and how many the filter finds in all. */
export const labels = signal<readonly Label[]>([]);
export const total = signal(0);
/** Whether the host has told what the filter finds. */
export const told = signal(false);
export const currentId = signal<string | null>(null);
export const mode = signal<Mode>("review");
/** Marked for one verdict on all. */
export const selected = signal<ReadonlySet<string>>(new Set());
/** Moments that somebody at the rig marked in the shown clip, in time order. */
export const marks = signal<readonly Mark[]>([]);
/** The mark that the shown label was reached by. */
export const markAt = signal<Mark | null>(null);
/** Milliseconds from the last verdict to the next label on the screen. */
export const nextShownIn = signal<number | null>(null);

export const current = computed(() => labels.value.find((one) => one.id === currentId.value) ?? null);
/** The clip of the shown label; where none is shown, the clip that is filtered by. */
export const clip = computed(() => {
  const wanted = current.value?.clip ?? filter.value.clip;
  return clips.value.find((one) => one.id === wanted) ?? null;
});
export const tally = computed(() => {
  const counts: Record<LabelState, number> = { waiting: 0, accepted: 0, corrected: 0, rejected: 0, created: 0, removed: 0 };
  for (const label of labels.value) counts[label.state] += 1;
  return counts;
});

export const stopwatch = new Stopwatch(() => performance.now());

/** Labels that stay in the list though the filter finds them no more: judged, made or linked to here. */
const staying = new Set<string>();
let listed = WINDOW;

/** Begins: loads everything, then follows what the host commits. */
export function start(): void {
  void outbox.deliver();
  effect(() => {
    if (connected.value === true) void outbox.deliver();
  });
  effect(() => {
    if (revision.value > 0) changed();
  });
  effect(() => {
    if (route.value.view === FIRST_VIEW) followAddress(route.value.rest);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stopwatch.pause();
    else stopwatch.resume();
  });
  window.addEventListener("online", () => void outbox.deliver());
  window.addEventListener("beforeunload", (event) => {
    if (outbox.pending.length > 0 && !leaving) event.preventDefault();
  });
}

let leaving = false;

/** Loads the page anew; what waits is kept, so nothing is asked. */
export function reload(): void {
  leaving = true;
  location.reload();
}

/** A desk that takes labels from many rigs changes all the time: what is shown need not follow every time. */
const BETWEEN_MS = 300;

let refreshing = false;
let again = false;

/** One refresh at a time; what changes meanwhile is fetched by one more. */
export function changed(): void {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  void refresh().finally(() => {
    refreshing = false;
    if (!again) return;
    again = false;
    setTimeout(changed, BETWEEN_MS);
  });
}

async function refresh(): Promise<void> {
  try {
    const [nextSummary, nextClips] = await Promise.all([api.summary(), api.clips()]);
    batch(() => {
      summary.value = nextSummary;
      clips.value = nextClips;
    });
    if (!chosen) await chooseClip(nextClips);
    if (nextClips.length > 0) await list();
    if (notice.value?.passing === true) notice.value = null;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    notice.value = { text: `What is shown may be out of date: ${why}.`, bad: true, passing: true };
  }
}

/** Whether the queue was narrowed to a clip, or the reviewer chose otherwise. */
let chosen = sessionStorage.getItem(FILTER_SHELF) !== null;

async function chooseClip(known: readonly Clip[]): Promise<void> {
  const linked = await linkedLabel(addressed());
  const wanted = linked?.clip ?? (known.find((one) => one.review.waiting > 0) ?? known[0])?.id ?? null;
  if (wanted === null) return;
  chosen = true;
  filter.value = { ...filter.value, clip: wanted };
}

/** Asks for the queue as it is now. */
async function list(): Promise<void> {
  const asked = filter.value;
  const [found, linked] = await Promise.all([api.labels(asked, listed), missing(addressed())]);
  if (filter.value !== asked) return;
  batch(() => {
    const fresh = withKnownCauses(found.labels, labels.value);
    const joined = rejoined(labels.value, fresh, staying);
    if (linked !== null) staying.add(linked.id);
    const all = linked === null || joined.some((one) => one.id === linked.id) ? joined : inserted(joined, linked);
    labels.value = withPending(all, outbox.pending);
    total.value = Math.max(found.total, found.labels.length);
    told.value = true;
  });
  if (current.value === null) {
    const addressee = labels.value.find((label) => label.id === addressed());
    show(addressee?.id ?? nextWaiting(labels.value, null) ?? labels.value[0]?.id ?? null);
  }
}

/** The label that the address links to, where the queue does not list it. */
async function missing(id: string): Promise<Label | null> {
  if (current.value !== null || id === "" || labels.value.some((label) => label.id === id)) return null;
  return linkedLabel(id);
}

async function linkedLabel(id: string): Promise<Label | null> {
  if (id === "") return null;
  try {
    return await api.label(outbox.nameOf(id));
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    notice.value = { text: `The address names the label ${id}, which is not here.`, bad: true };
    return null;
  }
}

function addressed(): string {
  return route.value.view === FIRST_VIEW ? route.value.rest : "";
}

function followAddress(wanted: string): void {
  untracked(() => {
    if (wanted === currentId.value) return;
    if (wanted === "") {
      // Back from another view: the label that was shown there before still is.
      if (currentId.value !== null) replaceRoute({ view: FIRST_VIEW, rest: currentId.value });
      return;
    }
    // The first labels are still on their way: `list` shows what the address names.
    if (!told.value) return;
    if (labels.value.some((label) => label.id === wanted)) {
      show(wanted);
      return;
    }
    void linkedLabel(wanted).then((linked) => {
      if (linked === null) return;
      queueBy({ ...EVERYTHING, clip: linked.clip });
    });
  });
}

/** Another queue. What was judged in the one before is in it only where the filter finds it. */
export function narrow(next: Filter): void {
  queueBy(next);
  // The queue begins anew, not with the label that was shown before.
  if (route.value.view === FIRST_VIEW) replaceRoute({ view: FIRST_VIEW, rest: "" });
}

function queueBy(next: Filter): void {
  chosen = true;
  listed = WINDOW;
  staying.clear();
  sessionStorage.setItem(FILTER_SHELF, JSON.stringify(next));
  batch(() => {
    filter.value = next;
    labels.value = [];
    total.value = 0;
    told.value = false;
    selected.value = new Set();
    currentId.value = null;
  });
  changed();
}

/** Makes a label the one that is judged. */
export function show(id: string | null): void {
  batch(() => {
    currentId.value = id;
    markAt.value = null;
    mode.value = "review";
  });
  stopwatch.restart();
  if (document.hidden) stopwatch.pause();
  if (id === null) return;
  if (route.value.view === FIRST_VIEW) replaceRoute({ view: FIRST_VIEW, rest: id });
  void fillCause(id);
  listMore(id);
}

/** Lists more of the queue as its end comes near. */
function listMore(id: string): void {
  const at = labels.value.findIndex((label) => label.id === id);
  if (labels.value.length - at > NEAR_END || labels.value.length >= total.value || listed >= WINDOW_MOST) return;
  listed = Math.min(listed + WINDOW, WINDOW_MOST);
  changed();
}

/** The list does not say why something was rejected; the label itself does. */
async function fillCause(id: string): Promise<void> {
  const label = labels.value.find((one) => one.id === id);
  if (label?.state !== "rejected" || label.cause !== null) return;
  try {
    take([await api.label(id)]);
  } catch {
    // It stays a rejection without its cause; nothing depends on it.
  }
}

/** What the host says of labels, with what was decided here since. */
export function take(fresh: readonly Label[]): void {
  labels.value = withPending(replaced(labels.value, fresh), outbox.pending);
}

/** Keeps a label in the list, whatever the filter finds. */
export function keepListed(ids: readonly string[]): void {
  for (const id of ids) staying.add(id);
}

export function move(step: 1 | -1): void {
  const next = neighbour(labels.value, currentId.value, step);
  if (next !== null && next !== currentId.value) show(next);
}

/** The next moment that somebody marked, after the one shown last. */
export function toNextMark(): void {
  const next = nextMark(marks.value, markAt.value?.frame ?? current.value?.frames[0] ?? -1);
  if (next === null) notice.value = { text: "Nobody marked a moment of this clip.", bad: false };
  else showMark(next);
}

/** Shows the label that a mark most likely means. */
export function showMark(mark: Mark): void {
  const here = clip.value?.id;
  const label = meantLabel(labels.value.filter((one) => one.clip === here), mark);
  if (label !== null && label.id !== currentId.value) show(label.id);
  markAt.value = mark;
}
