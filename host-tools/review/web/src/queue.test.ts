import { describe, expect, it } from "vitest";
import { alike, between, inserted, neighbour, nextWaiting, rejoined, replaced, upcoming, withKnownCauses, withPending } from "./queue";
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

  it("takes a new label in at its place in time", () => {
    expect(inserted(queue, label("e", 40, 44)).map((one) => one.id)).toEqual(["a", "b", "e", "c", "d"]);
    expect(inserted(queue, label("z", 90, 91)).at(-1)?.id).toBe("z");
  });

  it("takes what the host says of a label in its place", () => {
    const told = replaced(queue, [label("a", 10, 15, "rejected"), label("z", 1, 2)]);
    expect(told.map((one) => `${one.id} ${one.state}`)).toEqual(["a rejected", "b accepted", "c waiting", "d waiting"]);
  });

  it("keeps what was judged here where it stood, though the filter finds it no more", () => {
    const fresh = [label("a", 10, 15), label("d", 70, 75), label("e", 80, 85)];
    expect(rejoined(queue, fresh, new Set(["b"])).map((one) => one.id)).toEqual(["a", "b", "d", "e"]);
    expect(rejoined(queue, fresh, new Set()).map((one) => one.id)).toEqual(["a", "d", "e"]);
    expect(rejoined(queue, [], new Set(["a", "c"])).map((one) => one.id)).toEqual(["a", "c"]);
  });

  it("finds what is alike: of the same kind, person and value, and still waiting", () => {
    const flag = (id: string, at: number, on: boolean) => ({ ...label(id, at, at + 5), kind: "in-shadow" as const, value: { flag: on } });
    const flags = [flag("a", 0, true), flag("b", 10, true), flag("c", 20, false), { ...flag("d", 30, true), track: 2 }];
    expect(alike(flags, flags[0] as (typeof flags)[0]).map((one) => one.id)).toEqual(["a", "b"]);
    expect(alike(queue, queue[0] as (typeof queue)[0]).map((one) => one.id)).toEqual(["a", "c", "d"]);
  });

  it("selects from one label to another, whichever comes first", () => {
    expect(between(queue, "c", "a").map((one) => one.id)).toEqual(["a", "b", "c"]);
    expect(between(queue, "c", "nowhere")).toEqual([]);
  });

  it("fetches ahead what comes next, and only what waits", () => {
    expect(upcoming(queue, "c", 2).map((one) => one.id)).toEqual(["d", "a"]);
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

  it("shows a correction, an undo and a redo before the host has them", () => {
    const correction = { frames: [11, 15] as const };
    const correct = { do: "verdict", label: "a", key: "1", verdict: { verdict: "correct", correction }, millis: 5 } as const;
    const [corrected] = withPending(queue, [correct]);
    expect(corrected).toMatchObject({ state: "corrected", correction });
    const [redone] = withPending(queue, [correct, { do: "undo", label: "a", key: "2" }, { do: "redo", label: "a", key: "3", then: correct.verdict }]);
    expect(redone).toMatchObject({ state: "corrected", correction });
  });

  it("goes back from a correction of what somebody made to what they made, and from that to nothing", () => {
    const made = { ...label("e", 20, 25, "created"), made_by: "ada" };
    const correct = { do: "verdict", key: "1", label: "e", verdict: { verdict: "correct", correction: { frames: [20, 26] } }, millis: 1 } as const;
    const undo = (key: string) => ({ do: "undo", key, label: "e" }) as const;
    const state = (...done: Parameters<typeof withPending>[1]) => withPending([made], done)[0];
    expect(state(correct)?.state).toBe("corrected");
    expect(state(correct, undo("2"))).toMatchObject({ state: "created", correction: null });
    expect(state(correct, undo("2"), undo("3"))?.state).toBe("removed");
  });

  it("shows a verdict on many, and its undo", () => {
    const bulk = { do: "bulk", key: "1", labels: ["a", "c"], verdict: { verdict: "accept" }, millis: 5 } as const;
    expect(withPending(queue, [bulk]).map((one) => one.state)).toEqual(["accepted", "accepted", "accepted", "waiting"]);
    const undone = withPending(queue, [bulk, { do: "undo-bulk", key: "2", labels: ["a", "c"], batch: "1" }]);
    expect(undone.map((one) => one.state)).toEqual(["waiting", "accepted", "waiting", "waiting"]);
  });
});
