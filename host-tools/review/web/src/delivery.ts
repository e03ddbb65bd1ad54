// The outbox of this page: what was decided, on its way to the host, kept through reloads.

import { signal } from "@preact/signals";
import * as api from "./api";
import type { Label } from "./model";
import { type Action, Outbox, type Renaming } from "./outbox";

const SHELF = "rigel-verdicts";

/** Actions that have not reached the host, and why. */
export const unsaved = signal<{ count: number; why: string | null }>({ count: 0, why: null });

export interface Listener {
  saved(action: Action, labels: readonly Label[], renames: Renaming | null): void;
  refused(action: Action, why: string): void;
}

let listener: Listener | null = null;

/** Who is told what became of an action. */
export function tell(to: Listener): void {
  listener = to;
}

export const outbox = new Outbox(
  api.send,
  {
    read: () => sessionStorage.getItem(SHELF),
    write: (text) => sessionStorage.setItem(SHELF, text),
  },
  { after: (ms, then) => void setTimeout(then, ms) },
  {
    waiting: (count, why) => {
      unsaved.value = { count, why };
    },
    saved: (action, labels, renames) => listener?.saved(action, labels, renames),
    refused: (action, why) => listener?.refused(action, why),
  },
);

/** Names a request, so that the host takes it once however often it arrives. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function retryNow(): void {
  void outbox.deliver();
}
