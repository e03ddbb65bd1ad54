import { describe, expect, it } from "vitest";
import { kindOfLength, nearerEdge, newSpan, temporalIou, withEdge } from "./span";

describe("an event's edges", () => {
  it("move a frame at a time", () => {
    expect(withEdge([10, 16], "start", 9, 1000)).toEqual([9, 16]);
    expect(withEdge([10, 16], "end", 17, 1000)).toEqual([10, 17]);
  });

  it("do not pass each other and do not leave the clip", () => {
    expect(withEdge([10, 16], "start", 20, 1000)).toEqual([16, 16]);
    expect(withEdge([10, 16], "end", 4, 1000)).toEqual([10, 10]);
    expect(withEdge([2, 6], "start", -3, 1000)).toEqual([0, 6]);
    expect(withEdge([2, 6], "end", 5000, 1000)).toEqual([2, 999]);
  });

  it("are taken where the pointer is nearer", () => {
    expect(nearerEdge([10, 20], 12)).toBe("start");
    expect(nearerEdge([10, 20], 30)).toBe("end");
  });

  it("one frame off an eight-frame blink leaves 0.78", () => {
    expect(temporalIou([10, 17], [11, 18])).toBeCloseTo(7 / 9);
    expect(temporalIou([10, 17], [18, 20])).toBe(0);
  });
});

describe("a new event", () => {
  it("is as long as most blinks, and stays in the clip", () => {
    expect(newSpan(100, 33_333, 1800)).toEqual([97, 103]);
    expect(newSpan(1, 33_333, 1800)).toEqual([0, 4]);
  });

  it("is a long closure from half a second on", () => {
    expect(kindOfLength([0, 14], 33_333)).toBe("blink");
    expect(kindOfLength([0, 15], 33_333)).toBe("long-closure");
  });
});
