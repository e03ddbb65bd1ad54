// Verdicts on their way to the host. They are sent one after another in the order in which they were given, and one
// that does not arrive is tried again until it does: a verdict is never lost because the host or the network was away.
// What waits is kept in the browser's storage, so that it survives a reload.
//
// Some things have no name before the host has given one: a label that was created here, and verdicts given at once.
// Here they are named after the request that made them, and what is sent later is renamed.

import type { FrameRange, Kind, Label, TrackEdit, Value, Verdict } from "./model";

export type Action =
  | { do: "verdict"; key: string; label: string; verdict: Verdict; millis: number }
  | { do: "undo"; key: string; label: string }
  /** `then`: what stands again, as far as it is known here. */
  | { do: "redo"; key: string; label: string; then: Verdict | null }
  | { do: "bulk"; key: string; labels: readonly string[]; verdict: Verdict; millis: number }
  /** Takes back the verdicts given at once by the request of this key. */
  | { do: "undo-bulk"; key: string; labels: readonly string[]; batch: string }
  | { do: "redo-bulk"; key: string; labels: readonly string[]; batch: string; then: Verdict }
  | { do: "create"; key: string; clip: string; kind: Kind; track: number | null; frames: FrameRange; value: Value; millis: number }
  | { do: "tracks"; key: string; clip: string; edit: TrackEdit; millis: number }
  /** Takes back, or brings back, what was last said of the clip's tracks. */
  | { do: "undo-tracks" | "redo-tracks"; key: string; clip: string };

/** A name given by the host for one given here. */
export interface Renaming {
  from: string;
  to: string;
}

export type Outcome =
  | { is: "saved"; labels: readonly Label[]; renames?: Renaming }
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
  /** How many actions wait, and why the first did not arrive yet. */
  waiting(count: number, trouble: string | null): void;
  saved(action: Action, labels: readonly Label[], renames: Renaming | null): void;
  refused(action: Action, why: string): void;
}

/** The labels that an action is about; one that is created has its name from the request. */
export function labelsOf(action: Action): readonly string[] {
  switch (action.do) {
    case "verdict":
    case "undo":
    case "redo":
      return [action.label];
    case "bulk":
    case "undo-bulk":
    case "redo-bulk":
      return action.labels;
    case "create":
      return [nameOfCreated(action.key)];
    case "tracks":
    case "undo-tracks":
    case "redo-tracks":
      return [];
  }
}

/** What a label is called until the host has named it. */
export function nameOfCreated(key: string): string {
  return `new:${key}`;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

interface Kept {
  queue: Action[];
  names: [string, string][];
}

export class Outbox {
  private readonly queue: Action[];
  private readonly names: Map<string, string>;
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
    const kept = restore(shelf.read());
    this.queue = kept.queue;
    this.names = new Map(kept.names);
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

  /** The host's name of what may have been named here. */
  nameOf(name: string): string {
    return this.names.get(name) ?? name;
  }

  /** Tries at once, however long the next retry is away. */
  async deliver(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.turn += 1;
    try {
      for (let action = this.queue[0]; action !== undefined; action = this.queue[0]) {
        const outcome = await this.send(this.named(action));
        if (outcome.is === "unreachable") {
          this.trouble = outcome.why;
          this.retryLater();
          break;
        }
        this.queue.shift();
        this.trouble = null;
        this.retryMs = FIRST_RETRY_MS;
        if (outcome.is === "saved") {
          if (outcome.renames !== undefined) this.names.set(outcome.renames.from, outcome.renames.to);
          this.watcher.saved(action, outcome.labels, outcome.renames ?? null);
        } else this.watcher.refused(action, outcome.why);
        this.keep();
      }
    } finally {
      this.busy = false;
      this.keep();
    }
  }

  private named(action: Action): Action {
    switch (action.do) {
      case "verdict":
      case "undo":
      case "redo":
        return { ...action, label: this.nameOf(action.label) };
      case "bulk":
        return { ...action, labels: action.labels.map((label) => this.nameOf(label)) };
      case "undo-bulk":
      case "redo-bulk":
        return { ...action, batch: this.nameOf(action.batch) };
      default:
        return action;
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
    const kept: Kept = { queue: this.queue, names: [...this.names] };
    this.shelf.write(JSON.stringify(kept));
    this.watcher.waiting(this.queue.length, this.trouble);
  }
}

function restore(text: string | null): Kept {
  const nothing: Kept = { queue: [], names: [] };
  if (text === null) return nothing;
  try {
    const kept: unknown = JSON.parse(text);
    // An older page kept the queue alone.
    const { queue, names } = Array.isArray(kept) ? { queue: kept, names: [] } : (kept as Partial<Kept>);
    return {
      queue: (Array.isArray(queue) ? (queue as Action[]) : []).filter((action) => typeof action.key === "string"),
      names: Array.isArray(names) ? names : [],
    };
  } catch {
    return nothing;
  }
}
