import { describe, expect, it } from "vitest";
import { departures, fromValue, isKey, nextKey, positionAt, retimed, sameTrack, toValue, type Track, withKey, withoutKey } from "./track";

const BOX = fromValue({ boxes: [[10, 100, 50, 200, 300, 0.9], [20, 120, 50, 200, 320, 0.8]] }) as Track;
const POINT = fromValue({ points: [[0, 10, 10, 0.9], [10, 20, 10, 0.9], [20, 20, 30, 0.9]] }) as Track;

describe("a track of keyframes", () => {
  it("lies on the straight line between two keyframes", () => {
    expect(positionAt(BOX, 15)).toEqual([110, 50, 200, 310]);
    expect(positionAt(POINT, 15)).toEqual([20, 20]);
  });

  it("stays where its ends are beyond them", () => {
    expect(positionAt(BOX, 0)).toEqual([100, 50, 200, 300]);
    expect(positionAt(BOX, 99)).toEqual([120, 50, 200, 320]);
  });

  it("takes what lies between along when a keyframe moves", () => {
    const moved = withKey(POINT, 10, [40, 10]);
    expect(positionAt(moved, 5)).toEqual([25, 10]);
    expect(positionAt(moved, 15)).toEqual([30, 20]);
    expect(positionAt(moved, 0)).toEqual([10, 10]);
  });

  it("gains a keyframe where it was drawn between two, and is certain of it", () => {
    const grown = withKey(BOX, 14, [108, 52, 200, 308]);
    expect(toValue(grown).boxes).toEqual([
      [10, 100, 50, 200, 300, 0.9],
      [14, 108, 52, 200, 308, 1],
      [20, 120, 50, 200, 320, 0.8],
    ]);
  });

  it("loses a keyframe, but never the last", () => {
    const one = withoutKey(BOX, 20);
    expect(one.keys.map((key) => key.frame)).toEqual([10]);
    expect(withoutKey(one, 10)).toBe(one);
  });

  it("moves a keyframe in time, not onto another and not out of the label", () => {
    expect(retimed(POINT, 10, 12, [0, 20]).keys.map((key) => key.frame)).toEqual([0, 12, 20]);
    expect(retimed(POINT, 10, 20, [0, 20])).toBe(POINT);
    expect(retimed(POINT, 20, 21, [0, 20])).toBe(POINT);
  });

  it("is walked from keyframe to keyframe", () => {
    expect(nextKey(POINT, 3, 1)).toBe(10);
    expect(nextKey(POINT, 10, -1)).toBe(0);
    expect(nextKey(POINT, 20, 1)).toBeNull();
  });

  it("holds no more keyframes than a label may", () => {
    let full: Track = { form: "point", keys: [{ frame: 0, at: [0, 0], confidence: 1 }] };
    for (let frame = 1; frame < 200; frame += 1) full = withKey(full, frame, [frame, frame]);
    expect(full.keys.length).toBe(128);
    expect(isKey(full, 150)).toBe(false);
  });

  it("tells where it leaves what the rig measured by more than the bound", () => {
    const moved = withKey(POINT, 10, [22, 10]);
    expect(departures(moved, POINT, [0, 20])).toEqual([[6, 14]]);
    expect(departures(POINT, POINT, [0, 20])).toEqual([]);
  });

  it("measures a box by its worst side", () => {
    const wider = withKey(BOX, 10, [100, 50, 202, 300]);
    expect(departures(wider, BOX, [10, 20])).toEqual([[10, 12]]);
    expect(departures(withKey(BOX, 10, [101.4, 50, 200, 300]), BOX, [10, 20])).toEqual([]);
  });

  it("comes back from the wire as it was", () => {
    expect(sameTrack(fromValue(toValue(BOX)) as Track, BOX)).toBe(true);
    expect(sameTrack(BOX, withKey(BOX, 10, [100, 50, 200, 301]))).toBe(false);
  });
});
