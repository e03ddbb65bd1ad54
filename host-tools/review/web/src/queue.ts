// The queue: labels in time order, and which of them comes next.

import type { Label } from "./model";
import type { Action } from "./outbox";

/** Time order; the id decides between labels of the same frame, so that the order never jumps. */
export function inTimeOrder(labels: Iterable<Label>): Label[] {
  return [...labels].sort(
    (a, b) =>
      a.frames[0] - b.frames[0] || a.frames[1] - b.frames[1] || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
}

/** The labels of `known` with those of `fresh` added or replaced. */
export function merge(known: readonly Label[], fresh: readonly Label[]): Label[] {
  const byId = new Map(known.map((label) => [label.id, label]));
  for (const label of fresh) byId.set(label.id, label);
  return inTimeOrder(byId.values());
}

/** The label `step` places after the current one, stopping at the ends. */
export function neighbour(labels: readonly Label[], current: string | null, step: 1 | -1): string | null {
  if (labels.length === 0) return null;
  const at = labels.findIndex((label) => label.id === current);
  if (at < 0) return (labels[0] as Label).id;
  const next = Math.min(Math.max(at + step, 0), labels.length - 1);
  return (labels[next] as Label).id;
}

/** The next waiting label after the current one in time, from the start again when none is left behind it. */
export function nextWaiting(labels: readonly Label[], current: string | null): string | null {
  const at = labels.findIndex((label) => label.id === current);
  const waiting = (label: Label) => label.state === "waiting" && label.id !== current;
  return (labels.slice(at + 1).find(waiting) ?? labels.slice(0, Math.max(at, 0)).find(waiting))?.id ?? null;
}

/** The waiting labels that come next, nearest first: their evidence is fetched ahead. */
export function upcoming(labels: readonly Label[], current: string | null, many: number): string[] {
  const at = Math.max(labels.findIndex((label) => label.id === current), 0);
  return [...labels.slice(at + 1), ...labels.slice(0, at)]
    .filter((label) => label.state === "waiting")
    .slice(0, many)
    .map((label) => label.id);
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
  if (action.do === "undo") return { ...label, state: "waiting", cause: null };
  return action.verdict.verdict === "accept"
    ? { ...label, state: "accepted", cause: null }
    : { ...label, state: "rejected", cause: action.verdict.cause };
}

/** What the host says, with what was decided here and has not reached it yet. */
export function withPending(labels: readonly Label[], pending: readonly Action[]): Label[] {
  const ahead = new Map<string, Action>();
  for (const action of pending) ahead.set(action.label, action);
  return labels.map((label) => {
    const action = ahead.get(label.id);
    return action === undefined ? label : afterAction(label, action);
  });
}
