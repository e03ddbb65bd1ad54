import { describe, expect, it } from "vitest";
import { gaps, lines, pathOf, yOf } from "./curve";

const evidence = { frames: [10, 14], stride: 1, columns: [10, 11, 12, 13, 14] } as const;

describe("the openness curve", () => {
  it("breaks where the eye was not looked at and never draws zero there", () => {
    const found = lines([1, 0.5, null, 0.2, 0.9], evidence);
    expect(found.map((line) => line.map((point) => point.openness))).toEqual([
      [1, 0.5],
      [0.2, 0.9],
    ]);
    expect(found[1]?.[0]?.column).toBe(3.5);
  });

  it("is empty for an eye that was never looked at", () => {
    expect(lines([null, null], evidence)).toEqual([]);
  });

  it("keeps points inside the plot", () => {
    expect(lines([-0.1, 3], evidence)[0]?.map((point) => point.openness)).toEqual([0, 1.25]);
  });

  it("takes the stride into account", () => {
    const sparse = { frames: [10, 14], stride: 2, columns: evidence.columns } as const;
    expect(lines([1, 1, 1], sparse)[0]?.map((point) => point.column)).toEqual([0.5, 2.5, 4.5]);
  });

  it("hatches a gap from the middle before it to the middle after it", () => {
    expect(gaps([true, false, false, true, true], evidence)).toEqual([{ from: 1, to: 3 }]);
  });

  it("hatches a gap that runs to the end, and not beyond the strip", () => {
    expect(gaps([true, true, true, true, false], evidence)).toEqual([{ from: 4, to: 5 }]);
    expect(gaps([false, false, false, false, false], evidence)).toEqual([{ from: 0, to: 5 }]);
  });

  it("draws an open eye above a shut one", () => {
    expect(yOf(1, 100)).toBeLessThan(yOf(0, 100));
    expect(pathOf([{ column: 0.5, openness: 0 }, { column: 1.5, openness: 1.25 }], 10, 100)).toBe("M5.0 100.0L15.0 0.0");
  });
});
