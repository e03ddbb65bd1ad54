import { describe, expect, it } from "vitest";
import { boundsOf, divided, MAX_LINE_POINTS, moved, pointAt, rmse, sideAt, sidesOf, withoutPoint, withPoints } from "./line";
import type { Value } from "./model";
import { fromValue, positionAt, retimed, sameTrack, toValue, type Track, withKey } from "./track";

const SOURCE = [1280, 720] as const;
const NEAR = { scale: 4, left: 100, top: 50 };
const SQUARE = [0, 0, 10, 0, 10, 10, 0, 10];

type Points = [number, number][];
const line = (closed: boolean, from: Points, to: Points) => fromValue({ line: { closed, keys: [[10, from], [20, to]] } }) as Track;

describe("a line between its keyframes", () => {
  // The numbers of host-tools/formats/tests/lines.rs.
  it("moves each point evenly, and stands outside of them", () => {
    const one = line(false, [[0, 0], [10, 0]], [[20, 10], [30, 10]]);
    expect(positionAt(one, 8)).toEqual([0, 0, 10, 0]);
    expect(positionAt(one, 15)).toEqual([10, 5, 20, 5]);
    expect(positionAt(one, 30)).toEqual([20, 10, 30, 10]);
  });

  it("gives the one with fewer points as many, at equal lengths", () => {
    const open = line(false, [[0, 0], [10, 0]], [[0, 2], [5, 4], [10, 2]]);
    expect(positionAt(open, 15)).toEqual([0, 1, 5, 2, 10, 1]);
    const corner: Points = Array.from({ length: 6 }, () => [0, 0]);
    const six = positionAt(line(true, [[0, 0], [10, 0], [10, 10], [0, 10]], corner), 15);
    [0, 0, 20 / 6, 0, 5, 10 / 6, 5, 5, 10 / 6, 5, 0, 20 / 6].forEach((wanted, i) => expect(six[i]).toBeCloseTo(wanted, 9));
  });

  it("has in a keyframe the points of this keyframe, however many the next one has", () => {
    const open = line(false, [[0, 0], [10, 0]], [[0, 2], [5, 4], [10, 2]]);
    expect(positionAt(open, 10)).toEqual([0, 0, 10, 0]);
    expect(positionAt(open, 20)).toEqual([0, 2, 5, 4, 10, 2]);
  });

  it("is taken as it is where all its points are in one place", () => {
    expect(withPoints([3, 3, 3, 3, 3, 3], 5, true)).toEqual(Array(10).fill(3));
  });

  it("goes around its corners where it is closed, and not back where it is open", () => {
    expect(withPoints(SQUARE, 8, true)).toEqual([0, 0, 5, 0, 10, 0, 10, 5, 10, 10, 5, 10, 0, 10, 0, 5]);
    expect(withPoints(SQUARE, 7, false)).toEqual([0, 0, 5, 0, 10, 0, 10, 5, 10, 10, 5, 10, 0, 10]);
  });
});

describe("a line's value", () => {
  it("comes back from the wire as it was", () => {
    const value: Value = { line: { closed: true, keys: [[112, [[1, 2], [3, 4], [5, 6.25]]], [118, [[1, 2], [3, 4], [5, 6], [7, 8]]]] } };
    expect(toValue(fromValue(value) as Track)).toEqual(value);
  });

  it("differs by a point, by being closed, and by a hundredth of a pixel", () => {
    const one = line(true, [[0, 0], [10, 0], [10, 10]], [[0, 0], [10, 0], [10, 10]]);
    expect(sameTrack(one, { ...one })).toBe(true);
    expect(sameTrack(one, { ...one, closed: false })).toBe(false);
    expect(sameTrack(one, withKey(one, 20, [0, 0, 10, 0, 10, 10, 0, 10]))).toBe(false);
    expect(sameTrack(one, withKey(one, 20, [0, 0, 10, 0, 10, 10.01]))).toBe(false);
  });

  it("keeps its points and stays closed when a keyframe moves in time", () => {
    const later = retimed(line(true, [[0, 0], [9, 0], [9, 9]], [[1, 1], [8, 1], [8, 8]]), 20, 25, [10, 30]);
    expect(toValue(later).line).toEqual({ closed: true, keys: [[10, [[0, 0], [9, 0], [9, 9]]], [25, [[1, 1], [8, 1], [8, 8]]]] });
  });
});

describe("how far two lines lie apart", () => {
  const level = (y: number, from: number, to: number) => ({ at: [from, y, to, y], closed: false });
  // The numbers of host-tools/quality/src/compare/lines.rs.
  it("is their distance where they run side by side, whatever their points and direction", () => {
    expect(rmse(level(50, 0, 100), level(53, 0, 100))).toBeCloseTo(3, 9);
    expect(rmse(level(50, 0, 100), { at: [100, 50, 60, 50, 59, 50, 0, 50], closed: false })).toBeCloseTo(0, 9);
  });

  it("counts what one has and the other lacks", () => {
    expect(rmse(level(0, 0, 100), level(0, 0, 50))).toBeCloseTo(Math.sqrt(50 ** 3 / 3 / 150), 2);
    expect(rmse({ at: SQUARE, closed: true }, { at: SQUARE, closed: false })).toBeCloseTo(Math.sqrt((2 * 5 ** 3) / 3 / 70), 2);
  });

  it("is that of two dots, and none of nothing", () => {
    expect(rmse({ at: [0, 0, 0, 0], closed: false }, { at: [3, 4, 3, 4, 3, 4], closed: true })).toBeCloseTo(5, 9);
    expect(rmse({ at: [0, 0, 1, 1], closed: false }, { at: [], closed: false })).toBeNull();
  });
});

describe("a line under the pointer", () => {
  it("is taken by the point that is near, else by the side", () => {
    const at = [110, 60, 120, 60, 120, 70];
    expect(pointAt(NEAR, at, [82, 41], 9)).toBe(1);
    expect(pointAt(NEAR, at, [60, 40], 9)).toBeNull();
    expect(sideAt(NEAR, { at, closed: false }, [60, 42], 9)).toEqual({ side: 0, place: [115, 60] });
  });

  it("has a last side where it is closed, and none there where it is open", () => {
    const at = [110, 60, 120, 60, 120, 70];
    expect(sideAt(NEAR, { at, closed: true }, [60, 60], 9)?.side).toBe(2);
    expect(sideAt(NEAR, { at, closed: false }, [60, 60], 9)).toBeNull();
  });
});

describe("a line that is changed", () => {
  it("moves one point or all, and stays in the image", () => {
    expect(moved([10, 10, 20, 20], 1, [5, -5], SOURCE)).toEqual([10, 10, 25, 15]);
    expect(moved([10, 10, 20, 20], 0, [-99, 0], SOURCE)).toEqual([0, 10, 20, 20]);
    expect(moved([10, 10, 20, 20], null, [-99, 9999], SOURCE)).toEqual([0, 710, 10, 720]);
    expect(boundsOf([10, 40, 20, 20])).toEqual([10, 20, 10, 20]);
  });

  it("gains a point in the middle of a side, the closing one too, or where one says", () => {
    expect(divided({ at: [0, 0, 10, 0, 10, 10], closed: false }, 0)).toEqual([0, 0, 5, 0, 10, 0, 10, 10]);
    expect(divided({ at: SQUARE, closed: true }, 3)).toEqual([...SQUARE, 0, 5]);
    expect(divided({ at: SQUARE, closed: true }, 1, [10, 2])).toEqual([0, 0, 10, 0, 10, 2, 10, 10, 0, 10]);
    expect(sidesOf(SQUARE, false).length).toBe(3);
  });

  it("gains none on a side that is not there, nor more than it may hold", () => {
    const open = { at: SQUARE, closed: false };
    expect(divided(open, 3)).toBe(SQUARE);
    const full = Array.from({ length: 2 * MAX_LINE_POINTS }, (_, i) => i);
    expect(divided({ at: full, closed: true }, 0)).toBe(full);
  });

  it("loses points down to two, or three where it is closed", () => {
    expect(withoutPoint({ at: SQUARE, closed: true }, 0)).toEqual([10, 0, 10, 10, 0, 10]);
    const three = [0, 0, 10, 0, 10, 10];
    expect(withoutPoint({ at: three, closed: true }, 1)).toBe(three);
    expect(withoutPoint({ at: three, closed: false }, 1)).toEqual([0, 0, 10, 10]);
    const two = [0, 0, 10, 10];
    expect(withoutPoint({ at: two, closed: false }, 1)).toBe(two);
  });
});
