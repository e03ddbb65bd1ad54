import { describe, expect, it } from "vitest";
import { interleaved, markBeside, markText, meantLabel, nextMark } from "./marks";
import type { Mark } from "./model";
import { label } from "./sample";

const mark = (frame: number): Mark => ({ frame, pts_us: frame * 40_000 });

describe("marked moments", () => {
  const labels = [label("a", 100, 107), label("b", 200, 207), label("c", 400, 420)];

  it("follow each other and begin again", () => {
    const marks = [mark(110), mark(110), mark(300)];
    expect(nextMark(marks, -1)).toEqual(mark(110));
    expect(nextMark(marks, 110)).toEqual(mark(300));
    expect(nextMark(marks, 300)).toEqual(mark(110));
    expect(nextMark([], 0)).toBeNull();
  });

  it("lead to the candidate just before them, else to the nearest", () => {
    expect(meantLabel(labels, mark(190))?.id).toBe("a");
    expect(meantLabel(labels, mark(410))?.id).toBe("c");
    expect(meantLabel(labels, mark(50))?.id).toBe("a");
    // More than five seconds after the one before.
    expect(meantLabel(labels, mark(345))?.id).toBe("c");
    expect(meantLabel(labels, mark(900))?.id).toBe("c");
    expect(meantLabel([], mark(1))).toBeNull();
  });

  it("say where they lie", () => {
    expect(markText({ frame: 306, pts_us: 12_340_000 })).toBe("marked by the driver or operator at 0:12.3");
    const one = label("a", 100, 107);
    expect(markBeside(mark(127), one)).toBe("marked 0.8 s after it, at 0:05.1");
    expect(markBeside(mark(75), one)).toBe("marked 1.0 s before it, at 0:03.0");
    expect(markBeside(mark(103), one)).toBe("marked within it, at 0:04.1");
  });

  it("stand among the candidates in order of time", () => {
    const rows = interleaved(labels, [mark(3), mark(200), mark(500), mark(500)]);
    expect(rows.map((row) => ("id" in row ? row.id : row.frame))).toEqual([3, "a", "b", 200, "c", 500, 500]);
    expect(interleaved([], [mark(1)])).toEqual([mark(1)]);
  });
});
