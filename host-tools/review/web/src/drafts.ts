// The steps of an edit that is not saved yet, for undo and redo within it. Moves that follow each other closely are one
// step: a drag, or an arrow key held down.

const ONE_MOVE_MS = 600;

export class Drafts<T> {
  private before: T[] = [];
  private after: T[] = [];
  private last = Number.NEGATIVE_INFINITY;

  constructor(private readonly now: () => number) {}

  /** Something is about to change; this is how it was. */
  changes(from: T): void {
    const at = this.now();
    if (at - this.last > ONE_MOVE_MS || this.before.length === 0) this.before.push(from);
    this.last = at;
    this.after = [];
  }

  /** What changes next is a step of its own, however soon it comes. */
  separate(): void {
    this.last = Number.NEGATIVE_INFINITY;
  }

  /** How it was a step before. */
  back(now: T): T | undefined {
    const was = this.before.pop();
    if (was !== undefined) this.after.push(now);
    this.last = Number.NEGATIVE_INFINITY;
    return was;
  }

  /** How it was before the last step back. */
  on(now: T): T | undefined {
    const was = this.after.pop();
    if (was !== undefined) this.before.push(now);
    return was;
  }

  forget(): void {
    this.before = [];
    this.after = [];
    this.last = Number.NEGATIVE_INFINITY;
  }
}
