import { describe, expect, it } from "vitest";
import { columnOf, columnWidth, loupeScale, nearestColumn, numberEvery, stretchOf } from "./strip";

describe("the horizontal scale that strip and curve share", () => {
  it("puts a frame in the middle of its column", () => {
    expect(columnOf(12, [10, 11, 12])).toBe(2.5);
  });

  it("stays true where columns skip frames", () => {
    const columns = [0, 4, 8, 9, 10];
    expect(columnOf(6, columns)).toBe(2);
    expect(columnOf(9, columns)).toBe(3.5);
  });

  it("goes on beyond the ends with the slope of the end", () => {
    expect(columnOf(8, [10, 11, 12])).toBe(-1.5);
    expect(columnOf(20, [10, 12])).toBe(5.5);
  });

  it("marks an event from the left edge of its first column to the right edge of its last", () => {
    expect(stretchOf([11, 12], [10, 11, 12, 13])).toEqual({ from: 1, to: 3 });
  });

  it("marks an event that lies between two columns", () => {
    const stretch = stretchOf([12, 13], [10, 20]);
    expect(stretch.from).toBeCloseTo(0.7);
    expect(stretch.to).toBeCloseTo(0.8);
  });

  it("cuts an event that reaches beyond the strip", () => {
    expect(stretchOf([2, 11], [10, 11, 12])).toEqual({ from: 0, to: 2 });
  });

  it("finds the column that shows a frame, or the nearest", () => {
    expect(nearestColumn(11, [10, 11, 12])).toBe(1);
    expect(nearestColumn(99, [10, 11, 12])).toBe(2);
    expect(nearestColumn(5, [])).toBe(0);
  });

  it("fills the room in whole pixels and does not enlarge beyond three times", () => {
    expect(columnWidth(1000, 21, 64)).toBe(47);
    expect(columnWidth(1000, 3, 64)).toBe(192);
    expect(columnWidth(1000, 0, 64)).toBe(0);
  });

  it("enlarges under the loupe by whole numbers, as far as both eyes fit", () => {
    expect(loupeScale({ width: 700, height: 230 }, [64, 40])).toBe(5);
    expect(loupeScale({ width: 300, height: 900 }, [64, 40])).toBe(2);
    expect(loupeScale({ width: 0, height: 0 }, [64, 40])).toBe(1);
  });

  it("leaves out numbers that would touch", () => {
    expect(numberEvery(47, 40)).toBe(1);
    expect(numberEvery(30, 40)).toBe(2);
  });
});
