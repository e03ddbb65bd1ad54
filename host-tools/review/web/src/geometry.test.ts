import { describe, expect, it } from "vitest";
import { centred, closeUp, dragged, fit, handleAt, isSeen, panned, shifted, snapped, toCanvas, toSource, zoomed } from "./geometry";

const CANVAS = [800, 600] as const;
const SOURCE = [1920, 1080] as const;
const BOX = [100, 200, 300, 400];

describe("the picture on the canvas", () => {
  it("is whole and in the middle at first", () => {
    const view = fit(CANVAS, SOURCE);
    expect(toCanvas(view, [0, 0])[0]).toBeCloseTo(0);
    expect(toCanvas(view, [1920, 1080])[0]).toBeCloseTo(800);
    expect(toCanvas(view, [960, 540])).toEqual([400, 300]);
  });

  it("keeps the place under the pointer when zoomed", () => {
    const before = fit(CANVAS, SOURCE);
    const at = [500, 350] as const;
    const after = zoomed(before, at, 3, CANVAS, SOURCE);
    const [was, is] = [toSource(before, at), toSource(after, at)];
    expect(is[0]).toBeCloseTo(was[0]);
    expect(is[1]).toBeCloseTo(was[1]);
  });

  it("is never smaller than the canvas allows, and comes back to the middle", () => {
    const near = zoomed(fit(CANVAS, SOURCE), [10, 10], 4, CANVAS, SOURCE);
    expect(zoomed(near, [700, 20], 0.001, CANVAS, SOURCE)).toEqual(fit(CANVAS, SOURCE));
  });

  it("is shown from so near that a thing takes half of it, and then is in sight", () => {
    const eye = [1000, 500, 40, 15];
    const view = closeUp(eye, CANVAS, SOURCE);
    expect(toCanvas(view, [1020, 507.5])).toEqual([400, 300]);
    expect(40 * view.scale).toBeCloseTo(400);
    expect(isSeen(view, eye, CANVAS)).toBe(true);
    expect(isSeen(view, [100, 100, 40, 15], CANVAS)).toBe(false);
    expect(closeUp([0, 0, 1900, 1000], CANVAS, SOURCE)).toEqual(fit(CANVAS, SOURCE));
  });

  it("cannot be panned out of sight", () => {
    const near = centred([960, 540], 2, CANVAS, SOURCE);
    const far = panned(near, [-1e6, 1e6], CANVAS, SOURCE);
    const [right] = toCanvas(far, [1920, 0]);
    const [, top] = toCanvas(far, [0, 0]);
    expect(right).toBeCloseTo(40);
    expect(top).toBeCloseTo(560);
  });
});

describe("a box", () => {
  it("is taken by the handle that is near, or moved from within", () => {
    const view = { scale: 1, left: 0, top: 0 };
    expect(handleAt(view, BOX, [102, 199], 8)).toBe("nw");
    expect(handleAt(view, BOX, [398, 402], 8)).toBe("e");
    expect(handleAt(view, BOX, [250, 350], 8)).toBe("all");
    expect(handleAt(view, BOX, [50, 50], 8)).toBeNull();
  });

  it("moves one side and leaves the others", () => {
    expect(dragged(BOX, "w", [10, 99], SOURCE)).toEqual([110, 200, 290, 400]);
    expect(dragged(BOX, "se", [5, -5], SOURCE)).toEqual([100, 200, 305, 395]);
  });

  it("does not turn inside out, and stays in the image", () => {
    expect(dragged(BOX, "e", [-999, 0], SOURCE)).toEqual([100, 200, 2, 400]);
    expect(dragged(BOX, "all", [-999, 9999], SOURCE)).toEqual([0, 680, 300, 400]);
    expect(dragged(BOX, "n", [0, -999], SOURCE)).toEqual([100, 0, 300, 600]);
  });
});

describe("snapping", () => {
  it("takes edges of the image that are near, and else whole pixels", () => {
    expect(snapped([2, 100.4, 1916, 50.2], SOURCE, 4)).toEqual([0, 100, 1920, 51]);
    expect(snapped([10.6, 20.4], SOURCE, 4)).toEqual([11, 20]);
  });

  it("is not needed to move by less than a pixel", () => {
    expect(shifted([10, 20], [0.25, -0.5], SOURCE)).toEqual([10.25, 19.5]);
  });
});
