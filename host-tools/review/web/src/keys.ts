// Which key does what. Letters are taken by what is printed on the key, so that they work on any layout.

import { REJECT_CAUSES, type RejectCause } from "./model";

export type Command =
  | { do: "accept" }
  | { do: "reject" }
  | { do: "cause"; cause: RejectCause }
  | { do: "undo" }
  | { do: "move"; step: 1 | -1 }
  | { do: "mark" }
  | { do: "scrub"; step: 1 | -1 }
  | { do: "play" }
  | { do: "close" };

/** `cause`: the causes of a rejection are on offer. */
export type Mode = "review" | "cause";

export interface Pressed {
  key: string;
  repeat: boolean;
  /** A key together with Ctrl, Alt or Meta belongs to the browser. */
  modified: boolean;
  /** What has the focus. */
  on: "page" | "button" | "field";
}

export function commandFor(pressed: Pressed, mode: Mode): Command | null {
  if (pressed.modified || pressed.on === "field") return null;
  const key = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key;
  if (key === "Escape") return { do: "close" };
  if (mode === "cause") {
    const cause = /^[1-9]$/.test(key) ? REJECT_CAUSES[Number(key) - 1] : undefined;
    if (cause !== undefined && !pressed.repeat) return { do: "cause", cause };
  }
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
  // A held key must not judge one label after another.
  if (pressed.repeat) return null;
  switch (key) {
    case "a":
      return { do: "accept" };
    case "r":
      return { do: "reject" };
    case "u":
      return { do: "undo" };
    case "m":
      return { do: "mark" };
    case " ":
      // Space presses the button that has the focus.
      return pressed.on === "button" ? null : { do: "play" };
    default:
      return null;
  }
}

/** The list shown on the page. */
export const KEY_LIST: readonly { keys: readonly string[]; does: string }[] = [
  { keys: ["A"], does: "accept the label as it is" },
  { keys: ["R"], does: "reject it, then the cause by its digit" },
  { keys: ["U"], does: "undo: the shown label's verdict, else the last one given" },
  { keys: ["J", "↓"], does: "next label" },
  { keys: ["K", "↑"], does: "previous label" },
  { keys: ["M"], does: "next moment marked at the rig: the candidate just before it" },
  { keys: ["←", "→"], does: "step through the frames" },
  { keys: ["Space"], does: "play the event" },
  { keys: ["Esc"], does: "close, cancel" },
];
