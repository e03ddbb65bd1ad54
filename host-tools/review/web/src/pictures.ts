// Key pictures: which of a clip's show a label, fetched and decoded ahead, held in memory only.

import type { FrameRange, Picture } from "./model";

/** The pictures of a label, in the order of frames; where there are none within it, the nearest on each side. */
export function picturesOf(pictures: readonly Picture[], frames: FrameRange): Picture[] {
  const within = pictures.filter(({ frame }) => frame >= frames[0] && frame <= frames[1]);
  if (within.length > 0) return within;
  const before = pictures.findLast(({ frame }) => frame < frames[0]);
  const after = pictures.find(({ frame }) => frame > frames[1]);
  return [before, after].filter((one) => one !== undefined);
}

/** The picture nearest to a frame. */
export function nearestPicture(pictures: readonly Picture[], frame: number): Picture | null {
  return pictures.reduce<Picture | null>(
    (best, one) => (best !== null && Math.abs(best.frame - frame) <= Math.abs(one.frame - frame) ? best : one),
    null,
  );
}

/** At most so many of them, spread evenly and with both ends. */
export function spread(pictures: readonly Picture[], most: number): Picture[] {
  if (pictures.length <= most) return [...pictures];
  const step = (pictures.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => pictures[Math.round(i * step)] as Picture);
}

/** The next picture in a direction; null at the end. */
export function stepPicture(pictures: readonly Picture[], frame: number, step: 1 | -1): Picture | null {
  return (step > 0 ? pictures.find((one) => one.frame > frame) : pictures.findLast((one) => one.frame < frame)) ?? null;
}

/** A decoded picture. */
export interface Loaded {
  address: string;
  image: HTMLImageElement;
}

export class PictureCache {
  private readonly kept = new Map<string, Promise<Loaded>>();

  constructor(
    private readonly load: (id: string) => Promise<Loaded>,
    private readonly release: (picture: Loaded) => void,
    private readonly most: number,
  ) {}

  /** Fetches, or gives what was fetched; a failure is not remembered. */
  get(id: string): Promise<Loaded> {
    const known = this.kept.get(id);
    if (known !== undefined) {
      this.kept.delete(id);
      this.kept.set(id, known);
      return known;
    }
    const loading = this.load(id);
    this.kept.set(id, loading);
    loading.catch(() => {
      if (this.kept.get(id) === loading) this.kept.delete(id);
    });
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= this.most) break;
      const gone = this.kept.get(oldest);
      this.kept.delete(oldest);
      gone?.then(this.release).catch(() => undefined);
    }
    return loading;
  }

  preload(ids: readonly string[]): void {
    for (const id of ids) void this.get(id).catch(() => undefined);
  }
}
