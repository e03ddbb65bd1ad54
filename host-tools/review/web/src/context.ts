// The clip of the shown label: what the rig did not look at, what was marked, its pictures, and where people and their
// eyes are in them.

import { batch, computed, effect, signal } from "@preact/signals";
import * as api from "./api";
import { revision } from "./host";
import { formOf, standing } from "./kinds";
import { KINDS, type Abstention, type Label, type Picture } from "./model";
import { clip, current, labels, marks } from "./session";
import { fromValue, type Track } from "./track";

/** Of every kind. */
const allCoverage = signal<readonly Abstention[]>([]);
export const pictures = signal<readonly Picture[]>([]);
/** Whether the host has told which pictures there are. */
export const picturesTold = signal(false);
const placed = signal<readonly Label[]>([]);
const events = signal<readonly Label[]>([]);

/** The clip that the above is of. */
const held = signal<string | null>(null);
export const contextTold = computed(() => held.value !== null && held.value === clip.value?.id);

/** Abstentions of the kind that is shown; of blinks where none is. */
export const coverage = computed(() => {
  const kind = current.value?.kind ?? "blink";
  return allCoverage.value.filter((one) => one.kind === kind);
});

/** The clip's labels of a place, as the reviewer left them: those in the queue are as new as they get. */
export interface Placed {
  label: Label;
  track: Track;
}

export const places = computed((): Placed[] => {
  const newer = new Map(labels.value.map((label) => [label.id, label]));
  return placed.value.flatMap((known) => {
    const label = newer.get(known.id) ?? known;
    const track = fromValue(standing(label).value);
    return track === null || label.state === "rejected" ? [] : [{ label, track }];
  });
});

/** Events of the clip, with those made or changed here. */
export const eventsOfClip = computed((): Label[] => {
  const here = clip.value?.id;
  const newer = new Map(labels.value.filter((one) => one.clip === here && formOf(one.kind) === "event").map((one) => [one.id, one]));
  const known = events.value.map((one) => newer.get(one.id) ?? one);
  const ids = new Set(known.map((one) => one.id));
  return [...known, ...[...newer.values()].filter((one) => !ids.has(one.id))].sort((a, b) => a.frames[0] - b.frames[0]);
});

/** Tracks of people in the clip, for merging. */
export const tracksOfClip = computed(() =>
  [...new Set(places.value.flatMap(({ label }) => (label.track === null ? [] : [label.track])))].sort((a, b) => a - b),
);

let asked = 0;

/** Begins to follow the shown clip. */
export function followClip(): void {
  const what = computed(() => {
    // Verdicts change a clip's counts of review, and nothing of what is fetched here.
    const here = clip.value;
    return here === null ? null : JSON.stringify({ ...here, review: null });
  });
  effect(() => {
    const here = what.value;
    const id = here === null ? null : (JSON.parse(here) as { id: string }).id;
    if (id !== held.peek()) {
      batch(() => {
        allCoverage.value = [];
        pictures.value = [];
        picturesTold.value = false;
        placed.value = [];
        events.value = [];
        marks.value = [];
      });
    }
    if (id !== null) void load(id);
  });
}

/** Asks again, after tracks were split or merged. */
export function reloadClip(): void {
  const id = clip.value?.id;
  if (id !== undefined) void load(id);
}

async function load(id: string): Promise<void> {
  asked += 1;
  const turn = asked;
  // A host without pictures, or one that is away for a moment, must not keep the rest from being shown.
  const orNone = <T>(answer: Promise<T[]>) => answer.catch((): T[] => []);
  try {
    const [nextCoverage, nextMarks, nextPictures, nextPlaced, nextEvents] = await Promise.all([
      api.coverage(id),
      api.marks(id),
      orNone(api.pictures(id)),
      orNone(api.labelsOfClip(id, KINDS.filter((kind) => ["box", "point"].includes(formOf(kind))))),
      orNone(api.labelsOfClip(id, KINDS.filter((kind) => formOf(kind) === "event"))),
    ]);
    if (turn !== asked) return;
    batch(() => {
      held.value = id;
      allCoverage.value = nextCoverage;
      marks.value = nextMarks;
      pictures.value = nextPictures;
      picturesTold.value = true;
      placed.value = nextPlaced;
      events.value = nextEvents;
    });
  } catch {
    // The next change, or the connection's return, asks again.
    const seen = revision.peek();
    const stop = effect(() => {
      if (revision.value === seen) return;
      queueMicrotask(() => stop());
      if (clip.peek()?.id === id) void load(id);
    });
  }
}
