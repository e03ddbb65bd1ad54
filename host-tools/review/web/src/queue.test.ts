import { describe, expect, it } from "vitest";
import { merge, neighbour, nextWaiting, upcoming, withKnownCauses, withPending } from "./queue";
import { label } from "./sample";

const queue = [label("a", 10, 15), label("b", 30, 34, "accepted"), label("c", 50, 55), label("d", 70, 75)];

describe("the queue", () => {
  it("goes to the next waiting label in time", () => {
    expect(nextWaiting(queue, "a")).toBe("c");
  });

  it("begins again at the front when none is left behind", () => {
    expect(nextWaiting(queue, "d")).toBe("a");
  });

  it("has no next when all have a verdict", () => {
    expect(nextWaiting([label("a", 1, 2, "rejected")], "a")).toBeNull();
    expect(nextWaiting([], null)).toBeNull();
  });

  it("begins with the first waiting label", () => {
    expect(nextWaiting(queue, null)).toBe("a");
  });

  it("stops at its ends when moved through", () => {
    expect(neighbour(queue, "a", -1)).toBe("a");
    expect(neighbour(queue, "a", 1)).toBe("b");
    expect(neighbour(queue, "d", 1)).toBe("d");
    expect(neighbour([], null, 1)).toBeNull();
  });

  it("takes new labels in at their place in time", () => {
    const grown = merge(queue, [label("e", 40, 44), label("a", 10, 15, "rejected")]);
    expect(grown.map((one) => one.id)).toEqual(["a", "b", "e", "c", "d"]);
    expect(grown[0]?.state).toBe("rejected");
  });

  it("fetches ahead what comes next, and only what waits", () => {
    expect(upcoming(queue, "c", 2)).toEqual(["d", "a"]);
  });

  it("remembers why a label was rejected while it stays so", () => {
    const before = [{ ...label("a", 1, 2, "rejected"), cause: "duplicate" as const }];
    expect(withKnownCauses([label("a", 1, 2, "rejected")], before)[0]?.cause).toBe("duplicate");
    expect(withKnownCauses([label("a", 1, 2, "waiting")], before)[0]?.cause).toBeNull();
  });

  it("shows what was decided here though the host does not know it yet", () => {
    const shown = withPending(queue, [
      { do: "verdict", label: "a", key: "1", verdict: { verdict: "reject", cause: "wrong-time" }, millis: 5 },
      { do: "verdict", label: "c", key: "2", verdict: { verdict: "accept" }, millis: 5 },
      { do: "undo", label: "c", key: "3" },
    ]);
    expect(shown.map((one) => one.state)).toEqual(["rejected", "accepted", "waiting", "waiting"]);
    expect(shown[0]?.cause).toBe("wrong-time");
  });
});
