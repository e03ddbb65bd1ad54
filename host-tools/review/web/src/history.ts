// What was done on this page, for undo and redo. One entry is one step, however many labels it judged.

import type { Action } from "./outbox";

/** A step that can be taken back. */
export type Step = Extract<Action, { do: "verdict" | "bulk" | "create" | "tracks" }>;

export class History {
  private readonly past: Step[] = [];
  private future: Step[] = [];

  /** Something new was done: what was undone before cannot come back. */
  did(step: Step): void {
    this.past.push(step);
    this.future = [];
  }

  /** What was done last and still stands. */
  last(): Step | null {
    return this.past.at(-1) ?? null;
  }

  /** The last step, or the last one of this label alone; it can be redone. */
  undo(label: string | null): Step | null {
    const at = label === null ? this.past.length - 1 : this.past.findLastIndex((step) => step.do === "verdict" && step.label === label);
    const [step] = at < 0 ? [] : this.past.splice(at, 1);
    if (step === undefined) return null;
    this.future.push(step);
    return step;
  }

  /** Remembers that a verdict from before this page was taken back: it can be brought back, whatever it said. */
  undid(step: Step): void {
    this.future.push(step);
  }

  redo(): Step | null {
    return this.future.pop() ?? null;
  }

  /** What a redo has brought back: it can be undone again, and what else was undone can still come back. */
  redid(step: Step): void {
    this.past.push(step);
  }
}
