// Filmstrips and curves, fetched ahead so that a verdict shows the next label at once.

import type { Evidence } from "./model";

export interface LoadedEvidence {
  curve: Evidence;
  /** Address of the decoded picture. */
  picture: string;
}

export interface EvidenceSource {
  curve(label: string): Promise<Evidence>;
  /** Settles when the picture is decoded; gives its address. */
  picture(label: string): Promise<string>;
  /** The address is used no more. */
  release(picture: string): void;
}

export class EvidenceCache {
  private readonly kept = new Map<string, Promise<LoadedEvidence>>();

  constructor(
    private readonly source: EvidenceSource,
    private readonly most: number,
  ) {}

  /** Fetches, or gives what was fetched; a failure is not remembered. */
  get(label: string): Promise<LoadedEvidence> {
    const known = this.kept.get(label);
    if (known !== undefined) {
      // The Map keeps the order of insertion: the last used goes to the end.
      this.kept.delete(label);
      this.kept.set(label, known);
      return known;
    }
    const loading = Promise.all([this.source.curve(label), this.source.picture(label)]).then(
      ([curve, picture]) => ({ curve, picture }),
    );
    this.kept.set(label, loading);
    loading.catch(() => {
      if (this.kept.get(label) === loading) this.kept.delete(label);
    });
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= this.most) break;
      const gone = this.kept.get(oldest);
      this.kept.delete(oldest);
      gone?.then(({ picture }) => this.source.release(picture)).catch(() => undefined);
    }
    return loading;
  }

  preload(labels: readonly string[]): void {
    for (const label of labels) void this.get(label).catch(() => undefined);
  }
}

/**
 * Decodes the picture before it is shown, so that it does not build up before the reviewer's eyes. It lives in memory
 * only: faces do not belong into the browser's cache on disk.
 */
export async function decode(file: Blob): Promise<string> {
  const address = URL.createObjectURL(file);
  const picture = new Image();
  picture.src = address;
  try {
    await picture.decode();
  } catch (error) {
    URL.revokeObjectURL(address);
    throw error;
  }
  return address;
}
