// What every view shares: whether the host is heard, when something changed there, and what is worth saying.

import { signal } from "@preact/signals";
import { listen } from "./api";

/** Whether the page hears from the host; null before the first answer. */
export const connected = signal<boolean | null>(null);

/** Counts what the host says changed, and every return of the connection: a view that reads it asks again. */
export const revision = signal(0);

/** The last thing worth saying, for the eye and for a screen reader. `passing` ends by itself once all is well. */
export const notice = signal<{ text: string; bad: boolean; passing?: true } | null>(null);

/** Whether the list of keys is open. */
export const helpOpen = signal(false);

/** Begins to listen. */
export function follow(): void {
  listen(
    () => {
      revision.value += 1;
    },
    (live) => {
      connected.value = live;
    },
  );
}
