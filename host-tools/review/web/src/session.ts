// What the page knows and does: the one place where its state changes.

import { batch, computed, effect, signal, untracked } from "@preact/signals";
import * as api from "./api";
import { decode, EvidenceCache, type LoadedEvidence } from "./evidence";
import { connected, notice, revision } from "./host";
import type { Command, Mode } from "./keys";
import { meantLabel, nextMark } from "./marks";
import type { Abstention, Clip, Label, Mark, RejectCause, Summary, Verdict } from "./model";
import { Outbox } from "./outbox";
import {
  afterAction,
  inTimeOrder,
  merge,
  neighbour,
  nextWaiting,
  upcoming,
  withKnownCauses,
  withPending,
} from "./queue";
import { FIRST_VIEW, replaceRoute, route } from "./route";
import { Stopwatch } from "./stopwatch";
import { nearestColumn } from "./strip";

const AHEAD = 4;
const SHELF = "rigel-verdicts";

export const summary = signal<Summary | null>(null);
export const clips = signal<readonly Clip[]>([]);
export const clipId = signal<string | null>(null);
export const labels = signal<readonly Label[]>([]);
export const coverage = signal<readonly Abstention[]>([]);
/** Moments that somebody at the rig marked, in time order. */
export const marks = signal<readonly Mark[]>([]);
/** The mark that the shown label was reached by. */
export const markAt = signal<Mark | null>(null);
/** The clip that `labels`, `coverage` and `marks` are of; until it is the open clip, nothing may be said of what was found. */
const heldClip = signal<string | null>(null);
export const currentId = signal<string | null>(null);
export const mode = signal<Mode>("review");
/** `null` while it loads, `"none"` where none has arrived. */
export const shown = signal<LoadedEvidence | null | "none">(null);
/** Column of the filmstrip under the loupe. */
export const column = signal(0);
export const playing = signal(false);
/** Verdicts that have not reached the host, and why. */
export const unsaved = signal<{ count: number; why: string | null }>({ count: 0, why: null });

export const clip = computed(() => clips.value.find((one) => one.id === clipId.value) ?? null);
/** Whether the host has told what is in the open clip. */
export const told = computed(() => clipId.value !== null && heldClip.value === clipId.value);
export const current = computed(() => labels.value.find((one) => one.id === currentId.value) ?? null);
export const tally = computed(() => {
  const counts = { waiting: 0, accepted: 0, corrected: 0, rejected: 0 };
  for (const label of labels.value) counts[label.state] += 1;
  return counts;
});

const stopwatch = new Stopwatch(() => performance.now());
const evidence = new EvidenceCache(
  {
    curve: api.evidence,
    picture: async (label) => decode(await api.filmstrip(label)),
    release: (picture) => URL.revokeObjectURL(picture),
  },
  32,
);
/** Labels judged on this page, last one last: what U takes back. */
const judged: string[] = [];

const outbox = new Outbox(
  api.send,
  {
    read: () => sessionStorage.getItem(SHELF),
    write: (text) => sessionStorage.setItem(SHELF, text),
  },
  { after: (ms, then) => void setTimeout(then, ms) },
  {
    waiting: (count, why) => {
      unsaved.value = { count, why };
    },
    saved: (_action, label) => {
      if (label.clip === clipId.value) take(merge(labels.value, [label]));
    },
    refused: (action, why) => {
      const label = labels.value.find((one) => one.id === action.label);
      const which = label === undefined ? action.label : `frames ${label.frames[0]}–${label.frames[1]}`;
      notice.value = { text: `The host refused the verdict on ${which}: ${why}`, bad: true };
      void refresh();
    },
  },
);

/** Begins: loads everything, then follows what the host commits. */
export function start(): void {
  void outbox.deliver();
  effect(() => {
    if (connected.value === true) void outbox.deliver();
  });
  effect(() => {
    if (revision.value > 0) changed();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stopwatch.pause();
    else stopwatch.resume();
  });
  window.addEventListener("online", () => void outbox.deliver());
  effect(() => {
    if (route.value.view === FIRST_VIEW) followAddress(route.value.rest);
  });
  window.addEventListener("beforeunload", (event) => {
    if (outbox.pending.length > 0) event.preventDefault();
  });
}

let refreshing = false;
let again = false;

/** One refresh at a time; what changes meanwhile is fetched by one more. */
function changed(): void {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  void refresh().finally(() => {
    refreshing = false;
    if (again) {
      again = false;
      changed();
    }
  });
}

async function refresh(): Promise<void> {
  try {
    const [nextSummary, nextClips] = await Promise.all([api.summary(), api.clips()]);
    batch(() => {
      summary.value = nextSummary;
      clips.value = nextClips;
    });
    const wanted = clipId.value ?? (await clipOfAddress()) ?? defaultClip(nextClips);
    if (wanted !== null) await load(wanted);
    if (notice.value?.passing === true) notice.value = null;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    notice.value = { text: `What is shown may be out of date: ${why}.`, bad: true, passing: true };
  }
}

async function load(id: string): Promise<void> {
  clipId.value ??= id;
  const [nextLabels, nextCoverage, nextMarks] = await Promise.all([api.events(id), api.coverage(id), api.marks(id)]);
  if (clipId.value !== id) return;
  batch(() => {
    heldClip.value = id;
    coverage.value = nextCoverage;
    marks.value = nextMarks;
    take(inTimeOrder(withKnownCauses(nextLabels, labels.value)));
  });
  const here = current.value;
  if (here === null) {
    const linked = labels.value.find((label) => label.id === addressed());
    show(linked?.id ?? nextWaiting(labels.value, null) ?? labels.value[0]?.id ?? null);
  } else if (shown.value === "none" && here.has_evidence) {
    void showEvidence(here.id);
  }
  evidence.preload(ahead());
}

function take(fresh: readonly Label[]): void {
  labels.value = withPending(fresh, outbox.pending);
}

/** The clip that still has something to judge, the latest first. */
function defaultClip(known: readonly Clip[]): string | null {
  return (known.find((one) => one.review.waiting > 0 && one.events > 0) ?? known[0])?.id ?? null;
}

function addressed(): string {
  return route.value.view === FIRST_VIEW ? route.value.rest : "";
}

/** The clip of the label that the address links to. */
async function clipOfAddress(): Promise<string | null> {
  const linked = addressed();
  if (linked === "") return null;
  try {
    return (await api.label(linked)).clip;
  } catch {
    notice.value = { text: `The address names the label ${linked}, which is not here.`, bad: true };
    return null;
  }
}

function followAddress(wanted: string): void {
  untracked(() => {
    if (wanted === currentId.value) return;
    if (wanted === "") {
      // Back from another view: the label that was shown there before still is.
      if (currentId.value !== null) replaceRoute({ view: FIRST_VIEW, rest: currentId.value });
      return;
    }
    // The first labels are still on their way: `load` shows what the address names.
    if (heldClip.value === null) return;
    if (labels.value.some((label) => label.id === wanted)) {
      show(wanted);
      return;
    }
    void clipOfAddress().then((linked) => {
      if (linked !== null) openClip(linked);
    });
  });
}

export function openClip(id: string): void {
  batch(() => {
    clipId.value = id;
    heldClip.value = null;
    labels.value = [];
    coverage.value = [];
    marks.value = [];
    show(null);
  });
  void load(id).catch(() => changed());
}

/** Makes a label the one that is judged. */
export function show(id: string | null): void {
  batch(() => {
    currentId.value = id;
    markAt.value = null;
    mode.value = "review";
    playing.value = false;
    shown.value = null;
  });
  stopwatch.restart();
  if (id === null) return;
  if (route.value.view === FIRST_VIEW) replaceRoute({ view: FIRST_VIEW, rest: id });
  void showEvidence(id);
  void fillCause(id);
  evidence.preload(ahead());
}

/** The list does not say why something was rejected; the label itself does. */
async function fillCause(id: string): Promise<void> {
  const label = labels.value.find((one) => one.id === id);
  if (label?.state !== "rejected" || label.cause !== null) return;
  try {
    take(merge(labels.value, [await api.label(id)]));
  } catch {
    // It stays a rejection without its cause; nothing depends on it.
  }
}

function ahead(): string[] {
  const withPicture = new Set(labels.value.filter((label) => label.has_evidence).map((label) => label.id));
  return upcoming(labels.value, currentId.value, AHEAD).filter((id) => withPicture.has(id));
}

async function showEvidence(id: string): Promise<void> {
  const label = labels.value.find((one) => one.id === id);
  if (label?.has_evidence !== true) {
    shown.value = "none";
    return;
  }
  try {
    const loaded = await evidence.get(id);
    if (currentId.value !== id) return;
    const peak = label.event?.peak ?? Math.round((label.frames[0] + label.frames[1]) / 2);
    batch(() => {
      shown.value = loaded;
      column.value = nearestColumn(peak, loaded.curve.columns);
    });
    // Reading begins when there is something to read.
    stopwatch.restart();
    if (document.hidden) stopwatch.pause();
  } catch {
    if (currentId.value === id) shown.value = "none";
  }
}

export function judge(verdict: Verdict): void {
  const label = current.value;
  if (label === null) return;
  if (verdict.verdict === "accept" && label.state === "accepted") {
    // Said already: on to the next.
    const next = nextWaiting(labels.value, label.id);
    if (next !== null) show(next);
    return;
  }
  const action = { do: "verdict", label: label.id, key: key(), verdict, millis: stopwatch.elapsed() } as const;
  batch(() => {
    labels.value = labels.value.map((one) => (one.id === label.id ? afterAction(one, action) : one));
    judged.push(label.id);
    mode.value = "review";
    notice.value = null;
    const next = nextWaiting(labels.value, label.id);
    if (next !== null) show(next);
  });
  outbox.push(action);
}

export function undo(): void {
  // The shown label's own verdict, if it has one; else the last one given here that still stands.
  const here = current.value;
  let target: string | undefined;
  if (here !== null && here.state !== "waiting") target = here.id;
  while (target === undefined && judged.length > 0) {
    const last = judged.pop();
    if (labels.value.some((label) => label.id === last && label.state !== "waiting")) target = last;
  }
  if (target === undefined) {
    notice.value = { text: "Nothing to undo: this label has no verdict, and none was given on this page.", bad: false };
    return;
  }
  const again = judged.lastIndexOf(target);
  if (again >= 0) judged.splice(again, 1);
  const action = { do: "undo", label: target, key: key() } as const;
  batch(() => {
    labels.value = labels.value.map((one) => (one.id === action.label ? afterAction(one, action) : one));
    notice.value = { text: "Verdict taken back.", bad: false };
    show(action.label);
  });
  outbox.push(action);
}

export function retryNow(): void {
  void outbox.deliver();
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

/** Shows the candidate that a mark most likely means. */
export function showMark(mark: Mark): void {
  const label = meantLabel(labels.value, mark);
  if (label !== null && label.id !== currentId.value) show(label.id);
  markAt.value = mark;
}

export function scrub(step: 1 | -1): void {
  const strip = shown.value;
  if (strip === null || strip === "none") return;
  playing.value = false;
  column.value = Math.min(Math.max(column.value + step, 0), strip.curve.columns.length - 1);
}

export function rejectBecause(cause: RejectCause): void {
  judge({ verdict: "reject", cause });
}

export function obey(command: Command): void {
  switch (command.do) {
    case "accept":
      judge({ verdict: "accept" });
      break;
    case "reject":
      if (current.value !== null) mode.value = mode.value === "cause" ? "review" : "cause";
      break;
    case "cause":
      rejectBecause(command.cause);
      break;
    case "undo":
      undo();
      break;
    case "move":
      move(command.step);
      break;
    case "mark":
      toNextMark();
      break;
    case "scrub":
      scrub(command.step);
      break;
    case "play":
      playing.value = !playing.value && shown.value !== null && shown.value !== "none";
      break;
    case "close":
      mode.value = "review";
      playing.value = false;
      notice.value = null;
      break;
  }
}

/** Names an action, so that the host takes it once however often it arrives. */
function key(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
