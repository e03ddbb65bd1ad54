// Verdicts on their way to the host. They are sent one after another in the order in which they were given, and one
// that does not arrive is tried again until it does: a verdict is never lost because the host or the network was away.
// What waits is kept in the browser's storage, so that it survives a reload.

import type { Label, Verdict } from "./model";

export type Action =
  | { do: "verdict"; label: string; key: string; verdict: Verdict; millis: number }
  | { do: "undo"; label: string; key: string };

export type Outcome =
  | { is: "saved"; label: Label }
  /** The host said no: trying again would not help. */
  | { is: "refused"; why: string }
  /** The host did not answer, or is in trouble itself. */
  | { is: "unreachable"; why: string };

export interface Shelf {
  read(): string | null;
  write(text: string): void;
}

export interface Clock {
  /** Calls back once after so many milliseconds. */
  after(ms: number, then: () => void): void;
}

export interface OutboxWatcher {
  /** How many verdicts wait, and why the first did not arrive yet. */
  waiting(count: number, trouble: string | null): void;
  saved(action: Action, label: Label): void;
  refused(action: Action, why: string): void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

export class Outbox {
  private readonly queue: Action[];
  private retryMs = FIRST_RETRY_MS;
  private busy = false;
  private trouble: string | null = null;
  /** Retries planned before the last success or the last push are stale. */
  private turn = 0;

  constructor(
    private readonly send: (action: Action) => Promise<Outcome>,
    private readonly shelf: Shelf,
    private readonly clock: Clock,
    private readonly watcher: OutboxWatcher,
  ) {
    this.queue = restore(shelf.read());
  }

  /** What waits, oldest first. */
  get pending(): readonly Action[] {
    return this.queue;
  }

  push(action: Action): void {
    this.queue.push(action);
    this.keep();
    void this.deliver();
  }

  /** Tries at once, however long the next retry is away. */
  async deliver(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.turn += 1;
    try {
      for (let action = this.queue[0]; action !== undefined; action = this.queue[0]) {
        const outcome = await this.send(action);
        if (outcome.is === "unreachable") {
          this.trouble = outcome.why;
          this.retryLater();
          break;
        }
        this.queue.shift();
        this.trouble = null;
        this.retryMs = FIRST_RETRY_MS;
        if (outcome.is === "saved") this.watcher.saved(action, outcome.label);
        else this.watcher.refused(action, outcome.why);
        this.keep();
      }
    } finally {
      this.busy = false;
      this.keep();
    }
  }

  private retryLater(): void {
    const turn = this.turn;
    this.clock.after(this.retryMs, () => {
      if (turn === this.turn) void this.deliver();
    });
    this.retryMs = Math.min(this.retryMs * 2, LAST_RETRY_MS);
  }

  private keep(): void {
    this.shelf.write(JSON.stringify(this.queue));
    this.watcher.waiting(this.queue.length, this.trouble);
  }
}

function restore(text: string | null): Action[] {
  if (text === null) return [];
  try {
    const kept: unknown = JSON.parse(text);
    return Array.isArray(kept) ? (kept as Action[]).filter((action) => typeof action.label === "string") : [];
  } catch {
    return [];
  }
}
