import { describe, expect, it } from "vitest";
import { commandFor, type Pressed, type Scene } from "./keys";

const EVENT: Scene = { mode: "review", form: "event", editing: false, drawing: false };
const BOX: Scene = { mode: "review", form: "box", editing: false, drawing: false };
const LINE: Scene = { ...BOX, form: "line" };
const DRAWING: Scene = { ...LINE, drawing: true };
const press = (key: string, scene: Partial<Scene> = {}, more: Partial<Pressed> = {}) =>
  commandFor({ key, repeat: false, modified: false, shift: false, on: "page", ...more }, { ...EVENT, ...scene });

describe("the keys", () => {
  it("judge by letter, whether Shift or Caps Lock is on or not", () => {
    expect(press("a")).toEqual({ do: "accept" });
    expect(press("A", {}, { shift: true })).toEqual({ do: "accept" });
  });

  it("name a cause by its digit only while causes are on offer", () => {
    expect(press("2", { mode: "cause" })).toEqual({ do: "cause", cause: "wrong-time" });
    expect(press("2")).toBeNull();
    expect(press("7", { mode: "cause" })).toBeNull();
    expect(press("2", { mode: "cause", form: "level" })).toEqual({ do: "cause", cause: "wrong-time" });
  });

  it("do not judge label after label when held down", () => {
    expect(press("a", {}, { repeat: true })).toBeNull();
    expect(press("1", { mode: "cause" }, { repeat: true })).toBeNull();
    expect(press("y", { form: "flag" }, { repeat: true })).toBeNull();
    expect(press("j", {}, { repeat: true })).toEqual({ do: "move", step: 1 });
  });

  it("leave the browser its own, and fields theirs", () => {
    expect(press("a", {}, { modified: true })).toBeNull();
    expect(press("a", {}, { on: "field" })).toBeNull();
    expect(press(" ", {}, { on: "button" })).toBeNull();
    expect(press("Enter", {}, { on: "button" })).toBeNull();
  });

  it("undo and redo as other programs do, too", () => {
    expect(press("u")).toEqual({ do: "undo" });
    expect(press("U", {}, { shift: true })).toEqual({ do: "redo" });
    expect(press("z", {}, { modified: true })).toEqual({ do: "undo" });
    expect(press("Z", {}, { modified: true, shift: true })).toEqual({ do: "redo" });
  });

  it("go from mark to mark, one at a press", () => {
    expect(press("m")).toEqual({ do: "mark" });
    expect(press("m", {}, { repeat: true })).toBeNull();
  });

  it("answer yes or no and one to five where that is asked", () => {
    expect(press("n", { form: "flag" })).toEqual({ do: "flag", flag: false });
    expect(press("n")).toEqual({ do: "create" });
    expect(press("4", { form: "level" })).toEqual({ do: "level", level: 4 });
    expect(press("4", BOX)).toBeNull();
  });

  it("move an event's edges a frame at a time", () => {
    expect(press("[")).toEqual({ do: "edge", edge: "start", by: -1 });
    expect(press("{", {}, { shift: true })).toEqual({ do: "edge", edge: "start", by: 1 });
    expect(press("]", {}, { repeat: true })).toEqual({ do: "edge", edge: "end", by: 1 });
    expect(press("]", BOX)).toEqual({ do: "to-key", step: 1 });
    expect(press("]", { form: "flag" })).toBeNull();
  });

  it("choose, add and delete a line's points, and open and close it", () => {
    expect(press("h", LINE)).toEqual({ do: "handle", step: 1 });
    expect(press("H", LINE, { shift: true, repeat: true })).toEqual({ do: "handle", step: -1 });
    expect(press("d", LINE)).toEqual({ do: "add-point" });
    expect(press("D", LINE, { shift: true })).toEqual({ do: "delete-point" });
    expect(press("d", LINE, { repeat: true })).toBeNull();
    expect(press("c", LINE)).toEqual({ do: "closed" });
    expect(press("d", BOX)).toBeNull();
    expect(press("c", BOX)).toBeNull();
  });

  it("give a line its keyframes as they give them to a box", () => {
    for (const key of ["i", "Delete", "w", "t", "[", "]", "e", "o", "l", "0", "p", "+", ","]) {
      expect(press(key, LINE)).toEqual(press(key, BOX));
      expect(press(key, LINE)).not.toBeNull();
    }
    expect(press("ArrowUp", { ...LINE, editing: true }, { shift: true })).toEqual({ do: "nudge", by: [0, -10] });
  });

  it("ask which line was missed, and begin it by its digit", () => {
    expect(press("n", LINE)).toEqual({ do: "missed-line" });
    expect(press("n", BOX)).toEqual({ do: "missed-line" });
    expect(press("3", { ...BOX, mode: "line" })).toEqual({ do: "draw", kind: "polyline-face-outline" });
    expect(press("4", { ...BOX, mode: "line" })).toBeNull();
    expect(press("Escape", { ...BOX, mode: "line" })).toEqual({ do: "close" });
  });

  it("set points while a line is drawn, and judge nothing and leave nothing meanwhile", () => {
    expect(press("ArrowRight", DRAWING, { shift: true })).toEqual({ do: "nudge", by: [10, 0] });
    expect(press(" ", DRAWING)).toEqual({ do: "set-point" });
    expect(press(" ", DRAWING, { repeat: true })).toBeNull();
    expect(press("Backspace", DRAWING)).toEqual({ do: "drop-point" });
    expect(press("Enter", DRAWING)).toEqual({ do: "save" });
    expect(press("+", DRAWING, { repeat: true })).toEqual({ do: "zoom", factor: 1.25 });
    expect(press("u", DRAWING)).toEqual({ do: "undo" });
    expect(press("Escape", DRAWING)).toEqual({ do: "close" });
    for (const key of ["a", "r", "j", "k", "x", "s", "i", "w", "t", "[", "]", ",", "n", "m"]) expect(press(key, DRAWING)).toBeNull();
  });

  it("move what is in the picture only while it is edited", () => {
    expect(press("ArrowLeft", BOX)).toEqual({ do: "scrub", step: -1 });
    expect(press("ArrowLeft", { ...BOX, editing: true })).toEqual({ do: "nudge", by: [-1, 0] });
    expect(press("ArrowDown", { ...BOX, editing: true }, { shift: true })).toEqual({ do: "nudge", by: [0, 10] });
  });
});
