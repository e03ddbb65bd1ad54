import { describe, expect, it } from "vitest";
import { History, type Step } from "./history";

const accept = (label: string): Step => ({ do: "verdict", key: label, label, verdict: { verdict: "accept" }, millis: 1 });

describe("undo and redo", () => {
  it("take back and bring back step by step", () => {
    const history = new History();
    const [a, b] = [accept("a"), accept("b")];
    history.did(a);
    history.did(b);
    expect(history.undo(null)).toBe(b);
    expect(history.undo(null)).toBe(a);
    expect(history.undo(null)).toBeNull();
    const first = history.redo();
    expect(first).toBe(a);
    history.redid(a);
    expect(history.redo()).toBe(b);
    expect(history.redo()).toBeNull();
  });

  it("take back the shown label's verdict before the last one given", () => {
    const history = new History();
    history.did(accept("a"));
    history.did(accept("b"));
    expect(history.undo("a")).toMatchObject({ label: "a" });
    expect(history.undo("a")).toBeNull();
    expect(history.undo(null)).toMatchObject({ label: "b" });
  });

  it("forget what was undone once something new is done", () => {
    const history = new History();
    history.did(accept("a"));
    history.undo(null);
    history.did(accept("b"));
    expect(history.redo()).toBeNull();
  });

  it("take many labels judged at once for one step", () => {
    const history = new History();
    const bulk: Step = { do: "bulk", key: "k", labels: ["a", "b"], verdict: { verdict: "accept" }, millis: 1 };
    history.did(bulk);
    expect(history.undo(null)).toBe(bulk);
    expect(history.undo(null)).toBeNull();
  });
});
