import { describe, expect, it } from "vitest";
import { Drafts } from "./drafts";

describe("an edit that is not saved yet", () => {
  it("is taken back and brought back step by step", () => {
    let at = 0;
    const drafts = new Drafts<string>(() => at);
    drafts.changes("as it came");
    at = 1000;
    drafts.changes("a side moved");
    expect(drafts.back("two sides moved")).toBe("a side moved");
    expect(drafts.back("a side moved")).toBe("as it came");
    expect(drafts.back("as it came")).toBeUndefined();
    expect(drafts.on("as it came")).toBe("a side moved");
    expect(drafts.on("a side moved")).toBe("two sides moved");
    expect(drafts.on("two sides moved")).toBeUndefined();
  });

  it("takes a drag for one step", () => {
    let at = 0;
    const drafts = new Drafts<number>(() => at);
    for (at = 0; at < 2000; at += 16) drafts.changes(at);
    expect(drafts.back(2000)).toBe(0);
  });

  it("takes what is separate for a step of its own, before and after", () => {
    const drafts = new Drafts<string>(() => 0);
    drafts.changes("as it came");
    drafts.separate();
    drafts.changes("moved");
    drafts.separate();
    drafts.changes("with a point more");
    expect(drafts.back("moved again")).toBe("with a point more");
    expect(drafts.back("with a point more")).toBe("moved");
    expect(drafts.back("moved")).toBe("as it came");
  });

  it("forgets what was taken back once something else is done", () => {
    let at = 0;
    const drafts = new Drafts<string>(() => at);
    drafts.changes("a");
    drafts.back("b");
    at = 1000;
    drafts.changes("a");
    expect(drafts.on("c")).toBeUndefined();
  });
});
