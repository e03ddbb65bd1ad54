import { describe, expect, it } from "vitest";
import * as format from "./format";

describe("numbers on the page", () => {
  it("write times to the millisecond", () => {
    expect(format.time(62_367_000)).toBe("1:02.367");
    expect(format.time(59_999_600)).toBe("1:00.000");
  });

  it("write marked moments to the tenth of a second", () => {
    expect(format.moment(12_340_000)).toBe("0:12.3");
    expect(format.moment(59_960_000)).toBe("1:00.0");
    expect(format.moment(602_000_000)).toBe("10:02.0");
  });

  it("say in words why a rig did not look", () => {
    expect(format.reason("eye-turned-away")).toBe("eye turned away");
    expect(format.reason("shed")).toBe("left out for want of time or coolness");
  });

  it("never round a promise to certainty", () => {
    expect(format.percent(0.934)).toBe("93 %");
    expect(format.percent(0.998)).toBe(">99 %");
    expect(format.percent(1)).toBe("100 %");
    expect(format.percent(0.001)).toBe("<1 %");
    expect(format.percent(0)).toBe("0 %");
  });

  it("count the last frame of an event as part of it", () => {
    expect(format.durationMs([0, 240_000], [10, 16])).toBe(280);
    expect(format.durationMs([40_000, 40_000], [1, 1])).toBe(0);
  });

  it("name a single frame once", () => {
    expect(format.frames([7, 7])).toBe("7");
    expect(format.frames([7, 9])).toBe("7–9");
  });

  it("set thousands apart", () => {
    expect(format.count(1234567)).toBe("1\u202f234\u202f567");
  });
});
