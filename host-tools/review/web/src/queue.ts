// The queue: which labels are in it, in which order, and which comes next.

import { formOf, isMade } from "./kinds";
import type { Label, Verdict } from "./model";
import { type Action, labelsOf } from "./outbox";

/** Time order; the id decides between labels of the same frame, so that the order never jumps. */
export function inTimeOrder(labels: Iterable<Label>): Label[] {
  return [...labels].sort(
    (a, b) =>
      a.frames[0] - b.frames[0] || a.frames[1] - b.frames[1] || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
}

/**
 * What the host lists now, with those of `known` that it lists no more because they were judged here: they stay where
 * they are, so that a verdict moves nothing under the reviewer's eyes.
 */
export function rejoined(known: readonly Label[], fresh: readonly Label[], kept: ReadonlySet<string>): Label[] {
  const listed = new Map(fresh.map((label) => [label.id, label]));
  const staying = known.filter((label) => !listed.has(label.id) && kept.has(label.id));
  if (staying.length === 0) return [...fresh];
  const joined = [...fresh];
  for (const label of staying) {
    // After the nearest label before it that is still listed.
    const before = known.slice(0, known.indexOf(label)).reverse();
    const anchor = before.find((one) => joined.some((other) => other.id === one.id));
    const at = anchor === undefined ? 0 : joined.findIndex((one) => one.id === anchor.id) + 1;
    joined.splice(at, 0, label);
  }
  return joined;
}

/** The labels with those of `fresh` replaced where they stand. */
export function replaced(known: readonly Label[], fresh: readonly Label[]): Label[] {
  const byId = new Map(fresh.map((label) => [label.id, label]));
  return known.map((label) => byId.get(label.id) ?? label);
}

/** A label in its place in time. */
export function inserted(known: readonly Label[], label: Label): Label[] {
  const others = known.filter((one) => one.id !== label.id);
  const at = others.findIndex((one) => one.clip === label.clip && one.frames[0] > label.frames[0]);
  return at < 0 ? [...others, label] : [...others.slice(0, at), label, ...others.slice(at)];
}

/** The label `step` places after the current one, stopping at the ends. */
export function neighbour(labels: readonly Label[], current: string | null, step: 1 | -1): string | null {
  if (labels.length === 0) return null;
  const at = labels.findIndex((label) => label.id === current);
  if (at < 0) return (labels[0] as Label).id;
  const next = Math.min(Math.max(at + step, 0), labels.length - 1);
  return (labels[next] as Label).id;
}

/** The next waiting label after the current one, from the start again when none is left behind it; what others hold is left to them. */
export function nextWaiting(
  labels: readonly Label[],
  current: string | null,
  held: ReadonlyMap<string, string> = new Map(),
): string | null {
  const at = labels.findIndex((label) => label.id === current);
  const waiting = (label: Label) => label.state === "waiting" && label.id !== current && !held.has(label.id);
  return (labels.slice(at + 1).find(waiting) ?? labels.slice(0, Math.max(at, 0)).find(waiting))?.id ?? null;
}

/** The waiting labels that come next, nearest first: what they are judged by is fetched ahead. */
export function upcoming(labels: readonly Label[], current: string | null, many: number): Label[] {
  const at = Math.max(labels.findIndex((label) => label.id === current), 0);
  return [...labels.slice(at + 1), ...labels.slice(0, at)].filter((label) => label.state === "waiting").slice(0, many);
}

/**
 * The waiting labels that are alike to this one: of its kind, clip and person, and where it says yes or no or a level,
 * the same. They may be judged at once.
 */
export function alike(labels: readonly Label[], one: Label): Label[] {
  const same = (other: Label) =>
    other.state === "waiting" &&
    other.kind === one.kind &&
    other.clip === one.clip &&
    other.track === one.track &&
    (formOf(one.kind) !== "flag" || other.value?.flag === one.value?.flag) &&
    (formOf(one.kind) !== "level" || other.value?.level === one.value?.level);
  return labels.filter(same);
}

/** The labels from one to the other, both included, whichever comes first. */
export function between(labels: readonly Label[], from: string, to: string): Label[] {
  const [a, b] = [from, to].map((id) => labels.findIndex((label) => label.id === id));
  if (a === undefined || b === undefined || a < 0 || b < 0) return [];
  return labels.slice(Math.min(a, b), Math.max(a, b) + 1);
}

/** The list leaves causes out: those known from before are kept while the label stays rejected. */
export function withKnownCauses(fresh: readonly Label[], known: readonly Label[]): Label[] {
  const causes = new Map(known.map((label) => [label.id, label.cause]));
  return fresh.map((label) =>
    label.state === "rejected" && label.cause === null ? { ...label, cause: causes.get(label.id) ?? null } : label,
  );
}

/** The label as it will be once the host has taken this action. */
export function afterAction(label: Label, action: Action): Label {
  switch (action.do) {
    case "undo":
    case "undo-bulk":
      if (isMade(label)) return { ...label, state: label.state === "created" ? "removed" : "created", correction: null };
      return { ...label, state: "waiting", cause: null, correction: null };
    case "verdict":
    case "bulk":
      return afterVerdict(label, action.verdict);
    case "redo-bulk":
      return afterVerdict(label, action.then);
    case "redo":
      if (action.then !== null) return afterVerdict(label, action.then);
      return isMade(label) ? { ...label, state: "created" } : label;
    default:
      return label;
  }
}

export function afterVerdict(label: Label, verdict: Verdict): Label {
  switch (verdict.verdict) {
    case "accept":
      return { ...label, state: "accepted", cause: null, correction: null };
    case "correct":
      return { ...label, state: "corrected", cause: null, correction: verdict.correction };
    case "reject":
      return { ...label, state: isMade(label) ? "removed" : "rejected", cause: verdict.cause, correction: null };
  }
}

/** What the host says, with what was decided here and has not reached it yet. */
export function withPending(labels: readonly Label[], pending: readonly Action[]): Label[] {
  const ahead = new Map<string, Action[]>();
  for (const action of pending) {
    for (const id of labelsOf(action)) ahead.set(id, [...(ahead.get(id) ?? []), action]);
  }
  return labels.map((label) => (ahead.get(label.id) ?? []).reduce(afterAction, label));
}
