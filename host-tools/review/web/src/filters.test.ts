import { describe, expect, it } from "vitest";
import { EVERYTHING, narrowing, queryOf, restoredFilter } from "./filters";

describe("the filter of the queue", () => {
  it("asks for no more than it was told to", () => {
    expect(queryOf(EVERYTHING, 300)).toBe("limit=300");
  });

  it("asks the host in its own words", () => {
    const filter = {
      ...EVERYTHING,
      clip: "rig-1:7:1",
      kinds: ["blink", "long-closure"] as const,
      least: 40,
      most: 75,
      model: "blink-lag@1.0.0",
      condition: "bare-eyes" as const,
      order: "doubt" as const,
    };
    const query = new URLSearchParams(queryOf(filter, 100));
    expect(Object.fromEntries(query)).toEqual({
      clip: "rig-1:7:1",
      kind: "blink,long-closure",
      confidence_min: "0.4",
      confidence_max: "0.75",
      model: "blink-lag@1.0.0",
      condition: "bare-eyes",
      order: "doubt",
      limit: "100",
    });
  });

  it("says what it leaves out", () => {
    expect(narrowing({ ...EVERYTHING, state: "waiting", least: 50 })).toEqual(["waiting", "50–100 % sure"]);
    expect(narrowing(EVERYTHING)).toEqual([]);
  });

  it("comes back after a reload, without what is not understood", () => {
    const filter = { ...EVERYTHING, kinds: ["alertness"] as const, state: "rejected" as const };
    expect(restoredFilter(JSON.stringify(filter))).toEqual(filter);
    expect(restoredFilter('{"state":"lost","least":400,"kinds":["yawn"]}')).toEqual(EVERYTHING);
    expect(restoredFilter("{")).toEqual(EVERYTHING);
  });
});
