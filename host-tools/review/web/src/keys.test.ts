import { describe, expect, it } from "vitest";
import { commandFor, type Mode, type Pressed } from "./keys";

const press = (key: string, mode: Mode = "review", more: Partial<Pressed> = {}) =>
  commandFor({ key, repeat: false, modified: false, on: "page", ...more }, mode);

describe("the keys", () => {
  it("judge by letter, whether Shift or Caps Lock is on or not", () => {
    expect(press("a")).toEqual({ do: "accept" });
    expect(press("A")).toEqual({ do: "accept" });
  });

  it("name a cause by its digit only while causes are on offer", () => {
    expect(press("2", "cause")).toEqual({ do: "cause", cause: "wrong-time" });
    expect(press("2")).toBeNull();
    expect(press("7", "cause")).toBeNull();
  });

  it("do not judge label after label when held down", () => {
    expect(press("a", "review", { repeat: true })).toBeNull();
    expect(press("1", "cause", { repeat: true })).toBeNull();
    expect(press("j", "review", { repeat: true })).toEqual({ do: "move", step: 1 });
  });

  it("leave the browser its own, and fields theirs", () => {
    expect(press("a", "review", { modified: true })).toBeNull();
    expect(press("a", "review", { on: "field" })).toBeNull();
    expect(press(" ", "review", { on: "button" })).toBeNull();
  });

  it("go from mark to mark, one at a press", () => {
    expect(press("m")).toEqual({ do: "mark" });
    expect(press("m", "review", { repeat: true })).toBeNull();
  });
});
