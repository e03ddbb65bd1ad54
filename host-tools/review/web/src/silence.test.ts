import { describe, expect, it } from "vitest";
import type { Abstention } from "./model";
import { framesIn, lookedAt, merged, nothingFound } from "./silence";

function silent(first: number, last: number, reason = "occluded", track: number | null = 1): Abstention {
  return { kind: "blink", track, frames: [first, last], reason };
}

describe("what was not looked at", () => {
  it("is one stretch where one range follows the other", () => {
    expect(merged([silent(10, 19), silent(0, 9), silent(21, 30)]).map((one) => one.frames)).toEqual([
      [0, 19],
      [21, 30],
    ]);
  });

  it("stays apart by reason and person", () => {
    expect(merged([silent(0, 9), silent(10, 19, "too-dark"), silent(20, 29, "too-dark", 2)])).toHaveLength(3);
  });

  it("counts a frame once, however many people were unseen in it", () => {
    expect(framesIn([silent(0, 9), silent(5, 14, "occluded", 2), silent(6, 7, "too-dark", 3)])).toBe(15);
    expect(framesIn([])).toBe(0);
  });
});

describe("what is said of a clip", () => {
  it("claims nothing before the host has told what is in it", () => {
    for (const text of [lookedAt(false, 0, 100), ...nothingFound(false, false)]) {
      expect(text).not.toMatch(/looked|No candidate|none/);
    }
  });

  it("says how much was not looked at, and that a closed clip held none", () => {
    expect(lookedAt(true, 0, 100)).toBe("looked at throughout");
    expect(lookedAt(true, 25, 100)).toContain("25");
    expect(nothingFound(true, false)[1]).toContain("found none");
    expect(nothingFound(true, true)[0]).toContain("so far");
  });
});
