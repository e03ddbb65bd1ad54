// The views of the page. A new one is a file with its component and one line here.

import type { ComponentType } from "preact";
import type { Pressed } from "./keys";
import { SECOND_LOOK } from "./blind/view";
import { DISAGREEMENTS } from "./disagreements/view";
import { EXPORT } from "./view/exports";
import { FLEET } from "./view/fleet";
import { LIVE } from "./view/live";
import { QUALITY } from "./view/quality";
import { REVIEW } from "./view/review";

export interface View {
  /** Its name in the address: `#/name`. */
  name: string;
  /** Its name in the header. */
  title: string;
  Body: ComponentType;
  /** What it adds to the header. */
  Head?: ComponentType;
  /** Takes a key; true when it meant something here. `?` and Escape belong to the page. */
  takeKey?: (pressed: Pressed) => boolean;
  /** How much of it waits for whoever is here. */
  waiting?: () => number;
  /** Its keys, for the list that `?` opens. */
  keys?: readonly KeyLine[];
  /** What a reader of that list should know besides. */
  Notes?: ComponentType;
}

export interface KeyLine {
  keys: readonly string[];
  does: string;
}

/** In the order of the header. */
export const VIEWS: readonly View[] = [REVIEW, SECOND_LOOK, DISAGREEMENTS, QUALITY, EXPORT, FLEET, LIVE];

export function viewNamed(name: string): View | null {
  return VIEWS.find((view) => view.name === name) ?? null;
}
