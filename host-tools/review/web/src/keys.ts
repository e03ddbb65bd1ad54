// Which key does what. Letters are taken by what is printed on the key, so that they work on any layout.

import { type Form, isPlaced } from "./kinds";
import { LINE_KINDS, type LineKind, REJECT_CAUSES, type RejectCause } from "./model";
import type { Edge } from "./span";
import type { KeyLine } from "./views";

export type Command =
  | { do: "accept" }
  | { do: "reject" }
  | { do: "cause"; cause: RejectCause }
  | { do: "undo" }
  | { do: "redo" }
  | { do: "move"; step: 1 | -1 }
  | { do: "mark" }
  | { do: "scrub"; step: 1 | -1 }
  | { do: "step"; step: number }
  | { do: "play" }
  | { do: "flag"; flag: boolean }
  | { do: "level"; level: number }
  | { do: "edge"; edge: Edge; by: 1 | -1 }
  | { do: "create" }
  | { do: "save" }
  | { do: "edit" }
  | { do: "nudge"; by: readonly [number, number] }
  | { do: "handle"; step: 1 | -1 }
  | { do: "to-key"; step: 1 | -1 }
  | { do: "add-key" }
  | { do: "delete-key" }
  | { do: "add-point" }
  | { do: "delete-point" }
  | { do: "closed" }
  | { do: "missed-line" }
  | { do: "draw"; kind: LineKind }
  | { do: "set-point" }
  | { do: "drop-point" }
  | { do: "split" }
  | { do: "extend" }
  | { do: "snap" }
  | { do: "magnifier" }
  | { do: "zoom"; factor: number }
  | { do: "brightness"; factor: number }
  | { do: "gamma"; factor: number }
  | { do: "plain" }
  | { do: "select" }
  | { do: "alike" }
  | { do: "filter" }
  | { do: "rubric" }
  | { do: "close" };

/** `cause`: the causes of a rejection are on offer; `line`: the kinds of a missed line. */
export type Mode = "review" | "cause" | "line";

/** What the keys are pressed over. */
export interface Scene {
  mode: Mode;
  form: Form | null;
  /** Arrow keys move what is in the picture. */
  editing: boolean;
  /** The points of a line are being set. */
  drawing: boolean;
}

export interface Pressed {
  key: string;
  repeat: boolean;
  /** A key together with Ctrl, Alt or Meta belongs to the browser, but for undo and redo. */
  modified: boolean;
  shift: boolean;
  /** What has the focus. */
  on: "page" | "button" | "field";
}

/** How far the arrow keys move, in pixels of the source image. */
const NUDGE_PX = 1;
const FAR_NUDGE_PX = 10;
const ZOOM = 1.25;
const LIGHT = 1.15;

export function commandFor(pressed: Pressed, scene: Scene): Command | null {
  if (pressed.on === "field") return pressed.key === "Escape" ? { do: "close" } : null;
  const key = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key;
  if (pressed.modified) return pressed.repeat ? null : undoOrRedo(key, pressed.shift);
  if (key === "Escape") return { do: "close" };
  if (scene.mode === "cause") {
    const cause = /^[1-9]$/.test(key) ? REJECT_CAUSES[Number(key) - 1] : undefined;
    if (cause !== undefined && !pressed.repeat) return { do: "cause", cause };
  }
  if (scene.mode === "line") {
    const kind = /^[1-9]$/.test(key) ? LINE_KINDS[Number(key) - 1] : undefined;
    if (kind !== undefined && !pressed.repeat) return { do: "draw", kind };
  }
  if (scene.drawing) return whileDrawing(key, pressed);
  return (scene.editing ? inPicture(key, pressed) : null) ?? held(key, pressed, scene) ?? once(key, pressed, scene);
}

function undoOrRedo(key: string, shift: boolean): Command | null {
  if (key === "z") return shift ? { do: "redo" } : { do: "undo" };
  return key === "y" ? { do: "redo" } : null;
}

function inPicture(key: string, { shift }: Pressed): Command | null {
  const far = shift ? FAR_NUDGE_PX : NUDGE_PX;
  switch (key) {
    case "ArrowLeft":
      return { do: "nudge", by: [-far, 0] };
    case "ArrowRight":
      return { do: "nudge", by: [far, 0] };
    case "ArrowUp":
      return { do: "nudge", by: [0, -far] };
    case "ArrowDown":
      return { do: "nudge", by: [0, far] };
    default:
      return null;
  }
}

/** Until a line's end nothing else is judged, moved to or changed. */
function whileDrawing(key: string, pressed: Pressed): Command | null {
  const looked = inPicture(key, pressed) ?? lookCloser(key, pressed);
  if (looked !== null || pressed.repeat) return looked;
  switch (key) {
    case " ":
      return pressed.on === "button" ? null : { do: "set-point" };
    case "Enter":
      return pressed.on === "button" ? null : { do: "save" };
    case "Delete":
    case "Backspace":
      return { do: "drop-point" };
    case "c":
      return { do: "closed" };
    case "u":
      return pressed.shift ? { do: "redo" } : { do: "undo" };
    case "o":
      return { do: "snap" };
    case "0":
      return { do: "zoom", factor: 0 };
    case "p":
      return { do: "plain" };
    default:
      return null;
  }
}

/** How the picture is looked at; these may be held down. */
function lookCloser(key: string, { shift }: Pressed): Command | null {
  switch (key) {
    case "+":
    case "=":
      return { do: "zoom", factor: ZOOM };
    case "-":
      return { do: "zoom", factor: 1 / ZOOM };
    case "b":
      return { do: "brightness", factor: shift ? 1 / LIGHT : LIGHT };
    case "v":
      return { do: "gamma", factor: shift ? 1 / LIGHT : LIGHT };
    default:
      return null;
  }
}

/** Keys that may be held down. */
function held(key: string, pressed: Pressed, scene: Scene): Command | null {
  const { shift, repeat } = pressed;
  switch (key) {
    case "j":
    case "ArrowDown":
      return { do: "move", step: 1 };
    case "k":
    case "ArrowUp":
      return { do: "move", step: -1 };
    case "ArrowRight":
      return { do: "scrub", step: 1 };
    case "ArrowLeft":
      return { do: "scrub", step: -1 };
    default:
      break;
  }
  switch (key) {
    case ",":
      return { do: "step", step: -1 };
    case ".":
      return { do: "step", step: 1 };
    case "<":
      return { do: "step", step: -10 };
    case ">":
      return { do: "step", step: 10 };
    default:
      break;
  }
  if (scene.form === "event") {
    switch (key) {
      case "[":
        return { do: "edge", edge: "start", by: -1 };
      case "{":
        return { do: "edge", edge: "start", by: 1 };
      case "]":
        return { do: "edge", edge: "end", by: 1 };
      case "}":
        return { do: "edge", edge: "end", by: -1 };
      default:
        return null;
    }
  }
  if (isPlaced(scene.form)) {
    if (key === "[") return { do: "to-key", step: -1 };
    if (key === "]") return { do: "to-key", step: 1 };
  }
  if (key === "h" && (scene.form === "line" || (scene.form === "box" && !repeat))) return { do: "handle", step: shift ? -1 : 1 };
  return lookCloser(key, pressed);
}

/** Keys that do one thing a press: a held key must not judge one label after another. */
function once(key: string, { repeat, shift, on }: Pressed, scene: Scene): Command | null {
  if (repeat) return null;
  switch (key) {
    case "a":
      return { do: "accept" };
    case "r":
      return { do: "reject" };
    case "u":
      return shift ? { do: "redo" } : { do: "undo" };
    case "m":
      return { do: "mark" };
    case "x":
      return { do: "select" };
    case "s":
      return { do: "alike" };
    case "f":
      return { do: "filter" };
    case "g":
      return { do: "rubric" };
    case " ":
      // Space presses the button that has the focus.
      return on === "button" || scene.form !== "event" ? null : { do: "play" };
    case "Enter":
      return on === "button" ? null : { do: "save" };
    default:
      break;
  }
  switch (scene.form) {
    case "event":
      return key === "n" ? { do: "create" } : null;
    case "flag":
      if (key === "y") return { do: "flag", flag: true };
      if (key === "n") return { do: "flag", flag: false };
      return key === "0" ? { do: "zoom", factor: 0 } : key === "p" ? { do: "plain" } : null;
    case "level":
      if (/^[1-5]$/.test(key)) return { do: "level", level: Number(key) };
      return key === "0" ? { do: "zoom", factor: 0 } : key === "p" ? { do: "plain" } : null;
    case "line":
      return ofLine(key, shift) ?? ofTrack(key);
    case "box":
    case "point":
      return ofTrack(key);
    case null:
      return null;
  }
}

function ofLine(key: string, shift: boolean): Command | null {
  if (key === "d") return shift ? { do: "delete-point" } : { do: "add-point" };
  return key === "c" ? { do: "closed" } : null;
}

function ofTrack(key: string): Command | null {
  switch (key) {
    case "n":
      return { do: "missed-line" };
    case "e":
      return { do: "edit" };
    case "i":
      return { do: "add-key" };
    case "Delete":
    case "Backspace":
      return { do: "delete-key" };
    case "t":
      return { do: "split" };
    case "w":
      return { do: "extend" };
    case "o":
      return { do: "snap" };
    case "l":
      return { do: "magnifier" };
    case "0":
      return { do: "zoom", factor: 0 };
    case "p":
      return { do: "plain" };
    default:
      return null;
  }
}

/** The list that `?` opens. */
export const KEY_LIST: readonly KeyLine[] = [
  { keys: ["A"], does: "accept the label as it is; with a change, save the change" },
  { keys: ["R"], does: "reject it, then the cause by its digit" },
  { keys: ["U"], does: "undo: a step of the edit, else the shown label's verdict, else the last step; Ctrl+Z too" },
  { keys: ["⇧U"], does: "redo; Ctrl+Shift+Z too" },
  { keys: ["J", "↓"], does: "next label" },
  { keys: ["K", "↑"], does: "previous label" },
  { keys: ["X"], does: "select the label, for one verdict on many" },
  { keys: ["S"], does: "select all waiting labels alike to this one" },
  { keys: ["F"], does: "filter the queue" },
  { keys: ["M"], does: "next moment marked at the rig: the candidate just before it" },
  { keys: ["G"], does: "the written rule for this kind, with examples" },
  { keys: ["←", "→"], does: "step through frames of the strip, or pictures" },
  { keys: ["Esc"], does: "close, cancel, drop what is not saved" },
  { keys: ["Space"], does: "events: play" },
  { keys: ["[", "]"], does: "events: begin a frame earlier, end a frame later; with ⇧ the other way" },
  { keys: ["N"], does: "events: make one that was missed, at the shown frame" },
  { keys: ["Y", "N"], does: "yes or no: accepts or corrects" },
  { keys: ["1", "–", "5"], does: "levels: accepts or corrects" },
  { keys: ["E"], does: "boxes, points, lines: move by the arrow keys, with ⇧ by 10 px" },
  { keys: ["H"], does: "boxes: next side or corner; lines: next point; with ⇧ the one before" },
  { keys: ["D"], does: "lines: add a point in the middle of the side that begins at the chosen one; with ⇧ delete the chosen one" },
  { keys: ["C"], does: "lines: closed or open" },
  { keys: ["N"], does: "boxes, points, lines: draw a line of this person that was missed, then its kind by its digit" },
  { keys: ["Space", "⌫"], does: "while drawing: set a point at the cross, take the last one away; Enter ends" },
  { keys: ["[", "]"], does: "boxes, points, lines: previous, next keyframe" },
  { keys: ["I", "Del"], does: "boxes, points, lines: add, delete a keyframe" },
  { keys: ["T"], does: "boxes, points, lines: split the track at the shown frame" },
  { keys: ["W"], does: "boxes, points, lines: extend the label to the shown frame" },
  { keys: [",", "."], does: "a frame back, on; with ⇧ ten" },
  { keys: ["+", "−", "0"], does: "pictures: nearer, farther, the whole" },
  { keys: ["B", "V"], does: "pictures: brighter, lift the dark; with ⇧ less, P as it came" },
  { keys: ["O", "L"], does: "boxes, points, lines: snapping, magnifier" },
  { keys: ["Enter"], does: "save the change" },
];
