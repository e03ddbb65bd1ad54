// Verdicts: given, taken back, brought back; one or many at once; and labels that a person makes.

import { batch, signal } from "@preact/signals";
import { newKey, outbox, tell } from "./delivery";
import { reloadClip } from "./context";
import { correctionOf, dirty, discard, draft, eventAsSeen, frameUs, stepBack, stepOn } from "./editor";
import { History, type Step } from "./history";
import { notice } from "./host";
import { correctionTo, formOf, isMade, TITLE, valueOf } from "./kinds";
import * as format from "./format";
import { heldByOthers } from "./leases";
import { verdictGiven } from "./material";
import type { Correction, FrameRange, Label, RejectCause, TrackEdit, Value, Verdict } from "./model";
import { type Action, labelsOf, nameOfCreated } from "./outbox";
import { afterAction, alike, between, inserted, nextWaiting } from "./queue";
import { changed, current, currentId, keepListed, labels, mode, selected, show, stopwatch, take } from "./session";
import { toValue } from "./track";

/** Most labels in one request (docs/reference/http.md). */
export const MOST_AT_ONCE = 500;

const history = new History();

/** Whether there is something to bring back. */
export const redoable = signal(0);

tell({
  saved: (action, fresh, renames) => {
    batch(() => {
      if (action.do === "create" && renames !== null) named(renames.from, fresh[0]);
      else take(fresh);
    });
    if (action.do === "tracks" || action.do === "undo-tracks" || action.do === "redo-tracks") {
      reloadClip();
      changed();
    }
  },
  refused: (action, why) => {
    if (action.do === "create") labels.value = labels.value.filter((label) => label.id !== nameOfCreated(action.key));
    notice.value = { text: `The host refused ${what(action)}: ${why}`, bad: true };
    changed();
  },
});

/** The host has named a label that was made here. */
function named(from: string, label: Label | undefined): void {
  if (label === undefined) return;
  keepListed([label.id]);
  labels.value = labels.value.map((one) => (one.id === from ? label : one));
  if (currentId.value === from) show(label.id);
}

function what(action: Action): string {
  switch (action.do) {
    case "create":
      return `the new label at frames ${format.frames(action.frames)}`;
    case "tracks":
      return `to ${action.edit.do} track ${action.edit.track}`;
    case "undo-tracks":
    case "redo-tracks":
      return "that step of the tracks";
    case "bulk":
    case "undo-bulk":
    case "redo-bulk":
      return `the verdict on ${action.labels.length} labels`;
    default: {
      const label = labels.value.find((one) => one.id === outbox.nameOf(action.label));
      return `the verdict on ${label === undefined ? action.label : `frames ${format.frames(label.frames)}`}`;
    }
  }
}

/** Shows at once what will be, and sends it. */
function act(action: Action): void {
  const ids = new Set(idsOf(action));
  keepListed([...ids]);
  labels.value = labels.value.map((one) => (ids.has(one.id) ? afterAction(one, action) : one));
  outbox.push(action);
}

function idsOf(action: Action): string[] {
  switch (action.do) {
    case "bulk":
    case "undo-bulk":
    case "redo-bulk":
      return action.labels.map((id) => outbox.nameOf(id));
    case "verdict":
    case "undo":
    case "redo":
      return [outbox.nameOf(action.label)];
    default:
      return [];
  }
}

function did(step: Step): void {
  history.did(step);
  redoable.value = 0;
}

/** A verdict on the shown label, or on all that are selected. */
export function judge(verdict: Verdict): void {
  if (selected.value.size > 0) judgeSelected(verdict);
  else judgeShown(verdict);
}

function judgeShown(verdict: Verdict): void {
  const label = current.value;
  if (label === null) return;
  const next = nextWaiting(labels.value, label.id, heldByOthers.value);
  if (verdict.verdict === "accept" && label.state === "accepted") {
    // Said already: on to the next.
    if (next !== null) show(next);
    return;
  }
  if (verdict.verdict === "accept" && isMade(label)) {
    notice.value = { text: "This label was made by a person: it needs no acceptance.", bad: false };
    return;
  }
  const action: Step = { do: "verdict", label: label.id, key: newKey(), verdict, millis: stopwatch.elapsed() };
  batch(() => {
    did(action);
    verdictGiven();
    mode.value = "review";
    notice.value = null;
    discard();
    act(action);
    if (next !== null) show(next);
  });
}

function judgeSelected(verdict: Verdict): void {
  const ids = labels.value.filter((label) => selected.value.has(label.id) && !isMade(label)).map((label) => label.id);
  if (ids.length === 0) return;
  const action: Step = { do: "bulk", key: newKey(), labels: ids, verdict, millis: stopwatch.elapsed() };
  batch(() => {
    did(action);
    verdictGiven();
    mode.value = "review";
    discard();
    act(action);
    selected.value = new Set();
    const said = verdict.verdict === "accept" ? "accepted" : "rejected";
    notice.value = { text: `${ids.length} labels ${said}. U takes all of it back.`, bad: false };
    const next = nextWaiting(labels.value, currentId.value, heldByOthers.value);
    if (next !== null) show(next);
  });
}

export function rejectBecause(cause: RejectCause): void {
  judge({ verdict: "reject", cause });
}

/** Accepts the shown label, as edited where it was. */
export function accept(): void {
  if (selected.value.size === 0 && dirty.value) saveDraft();
  else judge({ verdict: "accept" });
}

/** One key says what is so: it accepts where the label says the same, and corrects where it does not. */
export function answer(value: Value): void {
  const label = current.value;
  if (label === null) return;
  const correction = correctionTo(label, value);
  judgeShown(correction === null ? { verdict: "accept" } : { verdict: "correct", correction });
}

/** Sends what was edited: a correction, or a label that the machine missed. */
export function saveDraft(): void {
  const [label, now] = [current.value, draft.value];
  if (label === null || now === null || !dirty.value) return;
  if (now.of === "new") {
    const { kind, track, frames } = now;
    create(label, { kind, track, frames, value: { event: eventAsSeen(frames) } });
    return;
  }
  if (now.of === "new-line") {
    const { kind, track, frames, line } = now;
    // Until its end it is no line yet.
    if (!now.drawing) show(create(label, { kind, track, frames, value: toValue(line) }).id);
    return;
  }
  const { moved, track } = correctionOf(label, now);
  const value = track === null ? null : toValue(track);
  const event = valueOf(label)?.event;
  // The frame of the smallest opening lies within the event, wherever its edges went.
  const peak = event === undefined ? null : Math.min(Math.max(event.peak, now.frames[0]), now.frames[1]);
  const correction: Correction = {
    ...(moved ? { frames: now.frames } : {}),
    ...(value !== null ? { value } : event !== undefined && moved && peak !== null && peak !== event.peak ? { value: { event: { ...event, peak } } } : {}),
  };
  const unchanged = correction.frames === undefined && correction.value === undefined;
  judgeShown(unchanged ? { verdict: "accept" } : { verdict: "correct", correction });
}

function create(beside: Label, now: { kind: Label["kind"]; track: number | null; frames: FrameRange; value: Value }): Label {
  const key = newKey();
  const { kind, track, frames, value } = now;
  const action: Step = { do: "create", key, clip: beside.clip, kind, track, frames, value, millis: stopwatch.elapsed() };
  const made: Label = {
    ...beside,
    id: nameOfCreated(key),
    kind,
    track,
    frames,
    pts_us: [
      beside.pts_us[0] + (frames[0] - beside.frames[0]) * frameUs.value,
      beside.pts_us[0] + (frames[1] - beside.frames[0]) * frameUs.value,
    ],
    confidence: null,
    raw: null,
    model: null,
    event: value.event ?? null,
    value,
    signs: null,
    state: "created",
    cause: null,
    correction: null,
    made_by: "desk",
    has_evidence: false,
  };
  batch(() => {
    did(action);
    keepListed([made.id]);
    labels.value = inserted(labels.value, made);
    discard();
    notice.value = { text: `Made: ${TITLE[kind].toLowerCase()}, ${format.inFrames(frames)}. U takes it back.`, bad: false };
  });
  stopwatch.restart();
  outbox.push(action);
  return made;
}

/** Takes back the last step of an edit; else the shown label's verdict, if it has one; else the last step made here. */
export function undo(): void {
  if (stepBack()) return;
  if (draft.value !== null && dirty.value) {
    // Kept through a reload, which forgot its steps.
    discard();
    notice.value = { text: "The change that was not saved is gone.", bad: false };
    return;
  }
  const here = current.value;
  const last = history.last();
  const lastHere = here !== null && last !== null && labelsOf(last).some((id) => outbox.nameOf(id) === here.id);
  if (here !== null && !lastHere && ["accepted", "corrected", "rejected"].includes(here.state)) {
    const own = history.undo(here.id);
    const step: Step = own ?? { do: "verdict", key: "", label: here.id, verdict: verdictOf(here), millis: 0 };
    if (own === null) history.undid(step);
    takeBack(step);
    return;
  }
  const step = history.undo(null);
  if (step === null) {
    notice.value = { text: "Nothing to undo: this label has no verdict, and none was given on this page.", bad: false };
    return;
  }
  takeBack(step);
}

function verdictOf(label: Label): Verdict {
  if (label.state === "rejected" && label.cause !== null) return { verdict: "reject", cause: label.cause };
  if (label.state === "corrected" && label.correction != null) return { verdict: "correct", correction: label.correction };
  return { verdict: "accept" };
}

function takeBack(step: Step): void {
  batch(() => {
    redoable.value += 1;
    switch (step.do) {
      case "verdict":
        act({ do: "undo", label: outbox.nameOf(step.label), key: newKey() });
        notice.value = { text: "Verdict taken back. Shift+U brings it back.", bad: false };
        show(outbox.nameOf(step.label));
        break;
      case "bulk":
        act({ do: "undo-bulk", labels: step.labels, batch: step.key, key: newKey() });
        notice.value = { text: `The verdict on ${step.labels.length} labels is taken back.`, bad: false };
        show(step.labels[0] === undefined ? currentId.value : outbox.nameOf(step.labels[0]));
        break;
      case "create":
        act({ do: "undo", label: outbox.nameOf(nameOfCreated(step.key)), key: newKey() });
        notice.value = { text: "The label that was made is removed. Shift+U brings it back.", bad: false };
        break;
      case "tracks":
        act({ do: "undo-tracks", clip: step.clip, key: newKey() });
        notice.value = { text: "The tracks are as they were.", bad: false };
        break;
    }
  });
}

/** Brings back what was undone last. */
export function redo(): void {
  if (stepOn()) return;
  const step = history.redo();
  if (step === null) {
    notice.value = { text: "Nothing to redo.", bad: false };
    return;
  }
  batch(() => {
    redoable.value = Math.max(redoable.value - 1, 0);
    switch (step.do) {
      case "verdict":
        history.redid(step);
        act({ do: "redo", label: outbox.nameOf(step.label), key: newKey(), then: step.verdict });
        show(outbox.nameOf(step.label));
        break;
      case "bulk":
        history.redid(step);
        act({ do: "redo-bulk", labels: step.labels, batch: step.key, key: newKey(), then: step.verdict });
        break;
      case "create":
        history.redid(step);
        act({ do: "redo", label: outbox.nameOf(nameOfCreated(step.key)), key: newKey(), then: null });
        break;
      case "tracks":
        history.redid(step);
        act({ do: "redo-tracks", clip: step.clip, key: newKey() });
        break;
    }
    notice.value = { text: "Brought back.", bad: false };
  });
}

/** Splits or merges tracks: said of the clip, and shown once the host has applied it. */
export function editTracks(edit: TrackEdit): void {
  const label = current.value;
  if (label === null) return;
  const action: Step = { do: "tracks", key: newKey(), clip: label.clip, edit, millis: stopwatch.elapsed() };
  did(action);
  outbox.push(action);
  notice.value = {
    text: edit.do === "split" ? `Track ${edit.track} is split at frame ${edit.frame}. U takes it back.` : `Track ${edit.track} is merged into ${edit.into}. U takes it back.`,
    bad: false,
  };
}

// --- selection ----------------------------------------------------------------------------------------------------

function select(ids: Iterable<string>): void {
  const next = [...new Set(ids)];
  if (next.length > MOST_AT_ONCE) {
    notice.value = { text: `At most ${MOST_AT_ONCE} labels are judged at once: the first ${MOST_AT_ONCE} are selected.`, bad: false };
  }
  selected.value = new Set(next.slice(0, MOST_AT_ONCE));
}

export function toggleSelected(id: string): void {
  select(selected.value.has(id) ? [...selected.value].filter((one) => one !== id) : [...selected.value, id]);
}

/** Everything from the shown label to this one. */
export function selectTo(id: string): void {
  const from = currentId.value;
  if (from !== null) select([...selected.value, ...between(labels.value, from, id).filter((one) => one.state === "waiting").map((one) => one.id)]);
}

/** The waiting labels that are alike to the shown one. */
export function selectAlike(): void {
  const label = current.value;
  if (label === null) return;
  const found = alike(labels.value, label);
  select(found.map((one) => one.id));
  if (found.length === 0) notice.value = { text: "No waiting label is alike to this one.", bad: false };
}

export function unselect(): void {
  selected.value = new Set();
}

/** Whether the shown label can be answered by a value in one key. */
export function answersBy(label: Label): "flag" | "level" | null {
  const form = formOf(label.kind);
  return form === "flag" || form === "level" ? form : null;
}

