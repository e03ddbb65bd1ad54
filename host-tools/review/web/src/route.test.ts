import { describe, expect, it } from "vitest";
import { hashOf, parseRoute } from "./route";

describe("an address within the page", () => {
  it("opens the review where it names nothing", () => {
    expect(parseRoute("")).toEqual({ view: "review", rest: "" });
    expect(parseRoute("#/")).toEqual({ view: "review", rest: "" });
  });

  it("names a view and what it shows", () => {
    expect(parseRoute("#/quality")).toEqual({ view: "quality", rest: "" });
    expect(parseRoute("#/review/rig-07%3A3145729%3A17%3A0")).toEqual({ view: "review", rest: "rig-07:3145729:17:0" });
  });

  it("still leads from a link of the first page to its label", () => {
    expect(parseRoute("#rig-07%3A3145729%3A17%3A0")).toEqual({ view: "review", rest: "rig-07:3145729:17:0" });
  });

  it("comes back from what was written", () => {
    const route = { view: "review", rest: "rig/7 ä:1:2:3" };
    expect(parseRoute(hashOf(route))).toEqual(route);
  });

  it("is read as it stands where it is not well formed", () => {
    expect(parseRoute("#/review/100%")).toEqual({ view: "review", rest: "100%" });
  });
});
