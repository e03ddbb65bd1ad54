// How long a reviewer looked at a label. Time in which the page was hidden does not count.

export class Stopwatch {
  private spent = 0;
  private runningSince: number | null = null;

  constructor(private readonly now: () => number) {}

  /** Begins at zero. */
  restart(): void {
    this.spent = 0;
    this.runningSince = this.now();
  }

  pause(): void {
    this.spent = this.elapsed();
    this.runningSince = null;
  }

  resume(): void {
    this.runningSince ??= this.now();
  }

  /** Milliseconds. */
  elapsed(): number {
    const running = this.runningSince === null ? 0 : this.now() - this.runningSince;
    return Math.round(this.spent + running);
  }
}
