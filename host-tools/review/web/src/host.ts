// What every view shares: whether the host is heard, when something changed there, and what is worth saying.

import { effect, signal } from "@preact/signals";
import { frontDoor, listen } from "./api";
import { isStale } from "./stale";

/** Whether the page hears from the host; null before the first answer. */
export const connected = signal<boolean | null>(null);

/** Counts what the host says changed, and every return of the connection: a view that reads it asks again. */
export const revision = signal(0);

/** The last thing worth saying, for the eye and for a screen reader. `passing` ends by itself once all is well. */
export const notice = signal<{ text: string; bad: boolean; passing?: true } | null>(null);

/** Whether the list of keys is open. */
export const helpOpen = signal(false);

/** Whether the host serves another version of the page than this one. */
export const stale = signal(false);

/** A host that went away may come back as another version. */
async function lookForUpgrade(): Promise<void> {
  try {
    stale.value = isStale(import.meta.url, await frontDoor());
  } catch {
    // It is away again; the next return of the connection asks anew.
  }
}

/** Long enough to read; what is bad stays until it is closed or well again. */
const NOTICE_MS = 7000;

/** Begins to listen. */
export function follow(): void {
  effect(() => {
    const said = notice.value;
    if (said === null || said.bad) return undefined;
    const timer = setTimeout(() => {
      notice.value = null;
    }, NOTICE_MS);
    return () => clearTimeout(timer);
  });
  listen(
    () => {
      revision.value += 1;
    },
    (live) => {
      const back = live && connected.value === false;
      connected.value = live;
      if (back) void lookForUpgrade();
    },
  );
}
