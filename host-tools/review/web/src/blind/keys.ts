// Which key does what in a second look.

import { formOf } from "../kinds";
import type { Pressed } from "../keys";
import type { KeyLine } from "../views";
import * as look from "./look";

export const KEYS: readonly KeyLine[] = [
  { keys: ["←", "→"], does: "events: step through the frames; boxes and points: move the cross, with ⇧ by 10 px, with ↑ ↓ too" },
  { keys: ["[", "]"], does: "events: begins here, ends here" },
  { keys: ["Space"], does: "boxes: one corner, then the one across" },
  { keys: [",", "."], does: "previous, next picture" },
  { keys: ["+", "−"], does: "pictures: nearer, farther" },
  { keys: ["Y", "N"], does: "yes or no; of events, boxes and points N: nothing here" },
  { keys: ["1", "–", "5"], does: "levels" },
  { keys: ["C"], does: "cannot tell" },
  { keys: ["Enter"], does: "save what was marked; after the answer, the next one" },
  { keys: ["A"], does: "after the answer: the rig is right, accept its label" },
  { keys: ["T"], does: "after the answer: take mine" },
  { keys: ["O"], does: "after the answer: open the label in the queue" },
  { keys: ["U"], does: "after the answer: take it back" },
];

const ZOOM = 1.5;
const FARTHEST = 1;
const NEAREST = 12;

export function takeKey({ key: pressed, repeat, shift, modified, on }: Pressed): boolean {
  if (modified || on === "field") return false;
  const key = pressed.length === 1 ? pressed.toLowerCase() : pressed;
  if (on === "button" && (key === "Enter" || key === " ")) return false;
  switch (look.phase.value) {
    case "answered":
      return !repeat && afterwards(key);
    case "asked":
      return moving(key, shift) || (!repeat && saying(key));
    default:
      return false;
  }
}

function afterwards(key: string): boolean {
  switch (key) {
    case "Enter":
      void look.next();
      return true;
    case "u":
      void look.undo();
      return true;
    case "a":
      look.acceptRigs();
      return true;
    case "t":
      if (look.judgeable.value) look.takeMine();
      return true;
    case "o":
      look.open();
      return true;
    default:
      return false;
  }
}

function moving(key: string, shift: boolean): boolean {
  const asked = look.look.value;
  if (asked === null) return false;
  const form = formOf(asked.kind);
  const placed = form === "box" || form === "point";
  const far = shift ? 10 : 1;
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  if (way !== undefined) {
    const [x = 0, y = 0] = way;
    if (placed) look.aimBy(x * far, y * far);
    else if (x !== 0) look.step(x * far);
    else return false;
    return true;
  }
  switch (key) {
    case ",":
      look.toPicture(-1);
      return true;
    case ".":
      look.toPicture(1);
      return true;
    case "+":
    case "=":
      look.zoom.value = Math.min(look.zoom.value * ZOOM, NEAREST);
      return true;
    case "-":
      look.zoom.value = Math.max(look.zoom.value / ZOOM, FARTHEST);
      return true;
    default:
      return false;
  }
}

function saying(key: string): boolean {
  const asked = look.look.value;
  if (asked === null) return false;
  const form = formOf(asked.kind);
  if (key === "c") {
    void look.answer("cannot-tell");
    return true;
  }
  if (key === "Enter") {
    look.save();
    return true;
  }
  if (form === "flag" && (key === "y" || key === "n")) {
    void look.answer("here", { value: { flag: key === "y" } });
    return true;
  }
  if (form === "level") {
    if (!/^[1-5]$/.test(key)) return false;
    void look.answer("here", { value: { level: Number(key) } });
    return true;
  }
  if (form !== "flag" && key === "n") {
    void look.answer("nothing");
    return true;
  }
  if (form === "event" && (key === "[" || key === "]")) {
    look.edge(key === "[" ? "first" : "last");
    return true;
  }
  if (form === "box" && key === " ") {
    look.setCorner();
    return true;
  }
  return false;
}
