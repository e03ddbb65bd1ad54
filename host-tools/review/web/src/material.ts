// What the shown label is judged by, fetched ahead so that a verdict shows the next one at once: of an event its
// filmstrip and curve, of anything else the clip's pictures.

import { batch, computed, effect, signal, untracked } from "@preact/signals";
import * as api from "./api";
import { pictures, picturesAhead } from "./context";
import { decode, EvidenceCache, type LoadedEvidence } from "./evidence";
import { formOf, standing } from "./kinds";
import type { FrameRange, Label, Picture } from "./model";
import { nearestPicture, type Loaded, PictureCache, picturesOf, spread } from "./pictures";
import { upcoming } from "./queue";
import { current, currentId, labels, nextShownIn, stopwatch } from "./session";
import { nearestColumn } from "./strip";

/** Labels whose material is fetched ahead. */
const AHEAD = 4;
/** Pictures of one label that are fetched ahead; the rest come as one steps to them. */
const PICTURES_AHEAD = 3;

/** `null` while it loads, `"none"` where none has arrived. */
export const shown = signal<LoadedEvidence | null | "none">(null);
/** Column of the filmstrip under the loupe. */
export const column = signal(0);
export const playing = signal(false);

/** The frame that the picture editor shows. */
export const frame = signal(0);
/** The label's own pictures. */
export const picturesHere = computed(() => {
  const label = current.value;
  return label === null ? [] : picturesOf(pictures.value, standing(label).frames);
});
/** The picture nearest to the frame. */
export const picture = computed(() => nearestPicture(picturesHere.value, frame.value));
/** `null` while it loads, `"none"` where it cannot be had. */
export const loaded = signal<{ id: string; picture: Loaded } | null | "none">(null);

const evidence = new EvidenceCache(
  {
    curve: api.evidence,
    picture: async (label) => decode(await api.filmstrip(label)),
    release: (address) => URL.revokeObjectURL(address),
  },
  32,
);

export const pictureCache = new PictureCache(
  async (id) => {
    const address = await decode(await api.picture(id));
    const image = new Image();
    image.src = address;
    await image.decode();
    return { address, image };
  },
  ({ address }) => URL.revokeObjectURL(address),
  96,
);

/** Begins to follow the shown label. */
export function followLabel(): void {
  const which = computed(() => {
    const label = current.value;
    return label === null ? "" : `${label.id} ${label.has_evidence}`;
  });
  effect(() => {
    if (which.value !== "") untracked(() => showMaterial());
  });
  effect(() => {
    // The pictures may be told after the label: then the frame that one begins with is chosen anew.
    if (picturesHere.value.length > 0) untracked(() => beginFrame());
  });
  effect(() => {
    const wanted = picture.value;
    if (wanted === null) {
      loaded.value = "none";
      return;
    }
    if (untracked(() => isLoaded(wanted.id))) return;
    // Never a box over another frame's picture.
    loaded.value = null;
    void pictureCache.get(wanted.id).then(
      (got) => {
        if (picture.peek()?.id !== wanted.id) return;
        loaded.value = { id: wanted.id, picture: got };
        timed();
      },
      () => {
        if (picture.peek()?.id === wanted.id) loaded.value = "none";
      },
    );
  });
  effect(() => {
    void currentId.value;
    void pictures.value;
    untracked(() => preload());
  });
}

function showMaterial(): void {
  const label = current.value;
  if (label === null) return;
  batch(() => {
    playing.value = false;
    shown.value = null;
    begun = "";
    beginFrame();
  });
  if (formOf(label.kind) === "event") void showEvidence(label);
  else if (picture.value === null || isLoaded(picture.value.id)) timed();
}

function isLoaded(id: string): boolean {
  return loaded.value !== null && loaded.value !== "none" && loaded.value.id === id;
}

/** The label whose first frame was chosen with its pictures known. */
let begun = "";

/** Begins with the picture in the middle; where there is none yet, with the frame there. */
function beginFrame(): void {
  const label = current.value;
  if (label === null || begun === label.id) return;
  const { frames } = standing(label);
  const middle = Math.round((frames[0] + frames[1]) / 2);
  const nearest = nearestPicture(picturesHere.value, middle);
  frame.value = nearest?.frame ?? middle;
  if (nearest !== null) begun = label.id;
}

async function showEvidence(label: Label): Promise<void> {
  if (!label.has_evidence) {
    shown.value = "none";
    timed();
    return;
  }
  try {
    const found = await evidence.get(label.id);
    if (currentId.value !== label.id) return;
    const peak = label.event?.peak ?? label.value?.event?.peak ?? Math.round((label.frames[0] + label.frames[1]) / 2);
    batch(() => {
      shown.value = found;
      column.value = nearestColumn(peak, found.curve.columns);
    });
    timed();
    // Reading begins when there is something to read.
    stopwatch.restart();
    if (document.hidden) stopwatch.pause();
  } catch {
    if (currentId.value === label.id) shown.value = "none";
  }
}

let judgedAt: number | null = null;

/** A verdict was given: from now on the next label is waited for. */
export function verdictGiven(): void {
  judgedAt = performance.now();
}

/** The next label is there: how long it took, once it is painted. */
function timed(): void {
  const since = judgedAt;
  if (since === null) return;
  judgedAt = null;
  requestAnimationFrame(() => {
    nextShownIn.value = Math.round(performance.now() - since);
  });
}

/** The picture that a label begins with, and some around it. */
function firstLooks(there: readonly Picture[], frames: FrameRange): string[] {
  const first = nearestPicture(there, Math.round((frames[0] + frames[1]) / 2));
  return [...new Set([...(first === null ? [] : [first]), ...spread(there, PICTURES_AHEAD)].map((one) => one.id))];
}

function preload(): void {
  for (const label of upcoming(labels.value, currentId.value, AHEAD)) {
    if (formOf(label.kind) === "event") {
      if (label.has_evidence) evidence.preload([label.id]);
    } else {
      void picturesAhead(label.clip).then((there) => {
        pictureCache.preload(firstLooks(picturesOf(there, label.frames), label.frames));
      });
    }
  }
}
