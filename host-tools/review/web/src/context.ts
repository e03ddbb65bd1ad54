// The clip of the shown label: what the rig did not look at, what was marked, its pictures, and where people and their
// eyes are in them.

import { batch, computed, effect, signal } from "@preact/signals";
import * as api from "./api";
import { revision } from "./host";
import { type Form, formOf, isPlaced, standing } from "./kinds";
import { KINDS, type Abstention, type Clip, type Label, type Mark, type Picture } from "./model";
import { clip, clips, current, labels, marks } from "./session";
import { fromValue, type Track } from "./track";

/** Of every kind. */
const allCoverage = signal<readonly Abstention[]>([]);
export const pictures = signal<readonly Picture[]>([]);
const placed = signal<readonly Label[]>([]);
const events = signal<readonly Label[]>([]);

/** The clip that the above is of. */
const shownId = signal<string | null>(null);
/** Whether the host has told what is in the clip. */
export const contextTold = computed(() => shownId.value !== null && shownId.value === clip.value?.id);

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

export const places = computed((): Placed[] =>
  withNewer(placed.value, isPlaced).flatMap((label) => {
    const track = fromValue(standing(label).value);
    return track === null || label.state === "rejected" || label.state === "removed" ? [] : [{ label, track }];
  }),
);

/** Events of the clip, with those made or changed here. */
export const eventsOfClip = computed((): Label[] =>
  withNewer(events.value, (form) => form === "event").sort((a, b) => a.frames[0] - b.frames[0]),
);

/** Labels of some forms, each as new as it is in the queue, with those that only the queue has yet. */
function withNewer(known: readonly Label[], wanted: (form: Form) => boolean): Label[] {
  const here = clip.value?.id;
  const newer = new Map(labels.value.filter((one) => one.clip === here && wanted(formOf(one.kind))).map((one) => [one.id, one]));
  const ids = new Set(known.map((one) => one.id));
  return [...known.map((one) => newer.get(one.id) ?? one), ...[...newer.values()].filter((one) => !ids.has(one.id))];
}

/** Tracks of people in the clip, for merging. */
export const tracksOfClip = computed(() =>
  [...new Set(places.value.flatMap(({ label }) => (label.track === null ? [] : [label.track])))].sort((a, b) => a - b),
);

interface Context {
  coverage: readonly Abstention[];
  marks: readonly Mark[];
  pictures: readonly Picture[];
  placed: readonly Label[];
  events: readonly Label[];
}

/** Clips are held so that a queue that goes from clip to clip need not wait for each. */
const MOST_HELD = 8;
const held = new Map<string, { stamp: string; context: Promise<Context> }>();

/** What a clip holds apart from verdicts, which change nothing of what is fetched here. */
function stampOf(of: Clip): string {
  return JSON.stringify({ ...of, review: null });
}

function contextOf(of: Clip): Promise<Context> {
  const stamp = stampOf(of);
  const known = held.get(of.id);
  const context = known?.stamp === stamp ? known.context : fetchContext(of.id);
  held.delete(of.id);
  held.set(of.id, { stamp, context });
  context.catch(() => {
    if (held.get(of.id)?.context === context) held.delete(of.id);
  });
  for (const oldest of held.keys()) {
    if (held.size <= MOST_HELD) break;
    held.delete(oldest);
  }
  return context;
}

/** The pictures of a clip, fetched ahead; none where the host does not answer. */
export async function picturesAhead(id: string): Promise<readonly Picture[]> {
  const of = clips.peek().find((one) => one.id === id);
  if (of === undefined) return [];
  try {
    return (await contextOf(of)).pictures;
  } catch {
    return [];
  }
}

let shown = 0;
const refetched = signal(0);

/** Begins to follow the shown clip. */
export function followClip(): void {
  const stamp = computed(() => (clip.value === null ? null : stampOf(clip.value)));
  effect(() => {
    void stamp.value;
    void refetched.value;
    const of = clip.peek();
    shown += 1;
    const turn = shown;
    if (of?.id !== shownId.peek()) say(null, null);
    if (of === null) return;
    contextOf(of).then(
      (context) => {
        if (turn === shown) say(of.id, context);
      },
      () => {
        // The next change, or the connection's return, asks again.
        const seen = revision.peek();
        const stop = effect(() => {
          if (revision.value === seen) return;
          queueMicrotask(() => stop());
          if (turn === shown) refetched.value += 1;
        });
      },
    );
  });
}

function say(id: string | null, context: Context | null): void {
  batch(() => {
    shownId.value = id;
    allCoverage.value = context?.coverage ?? [];
    marks.value = context?.marks ?? [];
    pictures.value = context?.pictures ?? [];
    placed.value = context?.placed ?? [];
    events.value = context?.events ?? [];
  });
}

/** Asks again, after tracks were split or merged. */
export function reloadClip(): void {
  held.clear();
  refetched.value += 1;
}

async function fetchContext(id: string): Promise<Context> {
  const of = (...forms: Form[]) => api.labelsOfClip(id, KINDS.filter((kind) => forms.includes(formOf(kind))));
  const [coverage, marked, pictured, placedThere, eventsThere] = await Promise.all([
    api.coverage(id),
    api.marks(id),
    api.pictures(id),
    of("box", "point", "line"),
    of("event"),
  ]);
  return { coverage, marks: marked, pictures: pictured, placed: placedThere, events: eventsThere };
}
